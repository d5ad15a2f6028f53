import numpy as np
import pytest

from bncourse.experiments.scale_invariance import descend, loss_and_gradient, make_problem

PROBLEM = make_problem()
WEIGHTS = 0.3 * np.random.default_rng(1).standard_normal((8, 1))


@pytest.mark.parametrize("eps", [0.0, 0.1])
def test_the_gradient_is_the_derivative_of_the_loss(eps: float) -> None:
    _loss, gradient = loss_and_gradient(WEIGHTS, PROBLEM, eps=eps)
    numerical = np.zeros_like(WEIGHTS)
    for place in range(8):
        step = 1e-6 * np.eye(8)[:, [place]]
        up, down = (loss_and_gradient(WEIGHTS + sign * step, PROBLEM, eps=eps)[0] for sign in (1, -1))
        numerical[place] = (up - down) / 2e-6
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-9)


def test_weights_never_shrink_without_decay() -> None:
    for rate in (0.1, 10.0):
        run = descend(WEIGHTS, PROBLEM, rate=rate, steps=100)
        assert (np.diff(run.norm) >= -1e-12 * run.norm[:-1]).all()


def test_no_learning_rate_diverges() -> None:
    for rate in (0.1, 1.0, 10.0, 100.0):
        run = descend(WEIGHTS, PROBLEM, rate=rate, steps=300)
        assert run.loss[-1] < 0.2 * run.loss[0]


def test_decay_holds_the_weights() -> None:
    run = descend(WEIGHTS, PROBLEM, rate=0.1, steps=2000, decay=0.1, batch=16)
    assert run.norm[-500:].min() > 0.2 and run.norm[-500:].max() < 0.6


def test_the_same_seed_gives_the_same_batches() -> None:
    first, second = (descend(WEIGHTS, PROBLEM, rate=0.1, steps=20, batch=8, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.weights, second.weights)
