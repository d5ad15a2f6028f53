import numpy as np
import pytest

from bncourse.diagnosis.checks import check_running, check_staged
from bncourse.diagnosis.restated import Restated, RestatedError

BATCH = np.array([[1.0, 10.0], [2.0, 10.5], [4.0, 12.0], [9.0, 11.5]])


def in_columns(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *, eps: float = 1e-5) -> tuple[object, np.ndarray]:
    assert gamma.shape == beta.shape == (len(x), 1)
    mean, std = x.mean(axis=1, keepdims=True), np.sqrt(x.var(axis=1, keepdims=True) + eps)
    return (x, mean, std, gamma), gamma * (x - mean) / std + beta


def test_a_batch_and_its_parameters_are_turned_round_and_back() -> None:
    own = Restated(column=True, cache_first=True)
    y, kept = own.forward(in_columns)(BATCH, np.array([1.0, 2.0]), np.zeros(2), eps=0.1)
    assert y.shape == (4, 2) and kept.eps == 0.1
    np.testing.assert_allclose(y[:, 0], (BATCH[:, 0] - 4) / np.sqrt(9.5 + 0.1), rtol=1e-12, atol=0)


@pytest.mark.parametrize(("maps", "shape"), [("NHWC", (2, 4, 5, 3)), ("CNHW", (3, 2, 4, 5))])
def test_feature_maps_are_turned_round_and_back(maps: str, shape: tuple[int, ...]) -> None:
    own = Restated(maps=maps)  # type: ignore[arg-type]
    given = np.arange(120.0).reshape(2, 3, 4, 5)

    def same(x: np.ndarray, *_: np.ndarray) -> tuple[np.ndarray, None]:
        assert x.shape == shape
        return x, None

    y, _ = own.conv(same)(given, np.ones(3), np.ones(3))
    np.testing.assert_array_equal(y, given)


@pytest.mark.parametrize("spread", ["std", "precision"])
@pytest.mark.parametrize("weighs", ["new", "old"])
def test_what_is_kept_of_the_spread_is_read_as_a_variance(spread: str, weighs: str) -> None:
    own = Restated(spread=spread, weighs=weighs)  # type: ignore[arg-type]

    def update(mean, kept, x, *, momentum):  # type: ignore[no-untyped-def]
        new = momentum if weighs == "new" else 1 - momentum
        var = (1 - new) * own.var_of(kept) + new * x.var(axis=1, ddof=1)
        return (1 - new) * mean + new * x.mean(axis=1), own.spread_of(var)

    check_running(own.running(update), seed=3)


@pytest.mark.parametrize("node", ["right", "half"])
def test_the_stages_of_a_graph_with_another_node_are_read_as_the_books(node: str) -> None:
    own = Restated(column=True, spread="std", cache_first=True, gradients=("dgamma", "dbeta", "dx"))

    def staged(dy, cache):  # type: ignore[no-untyped-def]
        x, mean, std, gamma = cache
        centered, dx_hat, count = x - mean, dy * gamma, dy.shape[1]
        dstd = -(dx_hat * centered).sum(axis=1, keepdims=True) / std**2 * (1.0 if node == "right" else 0.5)
        dvar = dstd / (2 * std)
        stages = {
            "dx_hat": dx_hat,
            "dstd": dstd,
            "dmean_direct": -dx_hat.sum(axis=1, keepdims=True) / std,
            "dmean_through_std": -2 * dvar * centered.mean(axis=1, keepdims=True),
            "dx_direct": dx_hat / std,
            "dx_through_std": 2 / count * dvar * centered,
        }
        dmean = stages["dmean_direct"] + stages["dmean_through_std"]
        stages["dx_through_mean"] = np.ones_like(x) * dmean / count
        dx = stages["dx_direct"] + stages["dx_through_std"] + stages["dx_through_mean"]
        sums = (dy * centered / std).sum(axis=1, keepdims=True), dy.sum(axis=1, keepdims=True)
        return (*sums, dx), stages

    if node == "right":
        check_staged(own.forward(in_columns), own.staged(staged), seed=5)
    else:
        with pytest.raises(AssertionError):
            check_staged(own.forward(in_columns), own.staged(staged), seed=5)


@pytest.mark.parametrize("result", [None, (1, 2), "abcd", np.ones(4)])
def test_a_result_of_another_form_is_refused_in_words(result: object) -> None:
    own = Restated(gradients=("dbeta", "dgamma", "dx"))
    _, kept = own.forward(lambda x, gamma, beta: (x, None))(BATCH, np.ones(2), np.ones(2))
    with pytest.raises(RestatedError, match="Expected 3, in the order that the task says"):
        own.backward(lambda dy, cache: result)(BATCH, kept)


def test_a_column_is_asked_for_by_its_shape() -> None:
    own = Restated(column=True)
    with pytest.raises(RestatedError, match=r"gamma has shape \(2,\). Expected \(C, 1\)"):
        own.identity(lambda x: (np.ones(2), np.ones(2)))(BATCH)


def test_gradients_by_their_names_need_no_order() -> None:
    own = Restated(gradients=("dbeta", "dgamma", "dx"))
    _, kept = own.forward(lambda x, gamma, beta: (x, None))(BATCH, np.ones(2), np.ones(2))
    named = {"dx": BATCH.T, "dgamma": np.ones(2), "dbeta": np.zeros(2)}
    dx, dgamma, dbeta = own.backward(lambda dy, cache: named)(BATCH, kept)
    np.testing.assert_array_equal(dx, BATCH)
    assert (dgamma[0], dbeta[0]) == (1.0, 0.0)
