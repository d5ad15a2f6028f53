"""Two functions of a student's that agree earn marks only where agreeing is work."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.follow_through import backward_as_rows, enough_to_follow, forward_as_rows
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]
SHAPE = (3, 4, 2, 5)


def forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    """Normalize rows."""
    y, cache = reference.batch_norm_forward(x, gamma, beta, eps=eps)
    return y, {"x_hat": (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps), "gamma": gamma, "cache": cache}


def on_maps(of_rows: Callable[..., Any], back: bool = False) -> Callable[..., Any]:
    """The same for feature maps, as the task asks: rows, the function, and maps again."""

    def run(values: Array, *rest: Any, **options: Any) -> Any:
        n, c, h, w = values.shape
        first, *others = of_rows(values.transpose(0, 2, 3, 1).reshape(-1, c), *rest, **options)
        return (np.asarray(first).reshape(n, h, w, c).transpose(0, 3, 1, 2), *others)

    return run


def backward(dy: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Lose the path through the variance: a slip that is charged in its own task."""
    dgamma, dbeta = (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)
    return cache["gamma"] * (dy - dy.mean(axis=0)), dgamma, dbeta


def test_a_slip_in_rows_is_followed_through_to_maps() -> None:
    pair = (on_maps(forward), on_maps(backward))
    assert backward_as_rows(pair, (forward, backward), seed=3, shape=SHAPE)
    assert forward_as_rows(on_maps(slip), slip, seed=3, shape=SHAPE)


def slip(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    """Divide by the variance."""
    return gamma * (x - x.mean(axis=0)) / (x.var(axis=0) + eps) + beta, None


PAIRS: dict[str, Callable[..., Any]] = {
    "constants": lambda dy, cache: (np.ones(dy.shape), np.ones(len(cache["gamma"])), dy_sum(dy)),
    "dy": lambda dy, cache: (dy, dy_sum(dy), dy_sum(dy)),
    "dy, scaled": lambda dy, cache: (2 * dy, dy_sum(dy), dy_sum(dy)),
    "dy times gamma": lambda dy, cache: (dy * across(cache["gamma"], dy), dy_sum(dy), dy_sum(dy)),
    "its mean everywhere": lambda dy, cache: (np.full(dy.shape, dy.mean()), dy_sum(dy), dy_sum(dy)),
    "the number of a place": lambda dy, cache: (np.full(dy.shape, 7.0), np.zeros(len(cache["gamma"])), dy_sum(dy)),
    "zeros for gamma": lambda dy, cache: (dy, np.zeros(len(cache["gamma"])), dy_sum(dy)),
}


def dy_sum(dy: Array) -> Array:
    """A right dbeta, for rows and for maps."""
    return np.asarray(dy.sum(axis=(0, *range(2, dy.ndim))))


def across(values: Array, dy: Array) -> Array:
    """One number a channel, beside rows or maps."""
    return values.reshape(1, -1, *[1] * (dy.ndim - 2))


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_that_agrees_without_work_is_not_followed(name: str) -> None:
    """It is the same program for rows and for maps: no layout is put right on the way."""
    program = PAIRS[name]
    assert not backward_as_rows((on_maps(forward), program), (forward, program), seed=3, shape=SHAPE)


@pytest.mark.parametrize(
    "program",
    [
        lambda x, gamma, beta, eps=1e-5: (np.ones(x.shape), None),
        lambda x, gamma, beta, eps=1e-5: (x, None),
        lambda x, gamma, beta, eps=1e-5: (3 * x + 1, None),
        lambda x, gamma, beta, eps=1e-5: (across(gamma, x) * x + across(beta, x), None),
        lambda x, gamma, beta, eps=1e-5: ((x - x.mean()) / np.sqrt(x.var() + eps), None),
    ],
    ids=["constants", "x", "scaled", "affine", "one mean for all"],
)
def test_a_forward_pass_that_agrees_without_work_is_not_followed(program: Callable[..., Any]) -> None:
    """The last one is no work either: where all values share one mean, no layout is wrong."""
    assert not forward_as_rows(program, program, seed=3, shape=SHAPE)


def test_a_wrong_layout_never_agrees() -> None:
    def flat(x: Array, *rest: Any, **options: Any) -> Any:
        y, cache = slip(x.reshape(-1, x.shape[1]), *rest, **options)
        return y.reshape(x.shape), cache

    assert not forward_as_rows(flat, slip, seed=3, shape=SHAPE)


@pytest.mark.parametrize(
    ("program", "enough"),
    [
        (lambda x, g, b: reference.batch_norm_forward(x, g, b, eps=0.1)[0], True),
        (lambda x, g, b: slip(x, g, b)[0], True),
        (lambda x, g, b: np.ones(x.shape), False),
        (lambda x, g, b: x, False),
        (lambda x, g, b: g * x + b, False),
        (lambda x, g, b: g * (x - x.mean(axis=0)) + b, False),
        (lambda x, g, b: (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.1), False),
        (lambda x, g, b: g * x**3 + b, False),
        (lambda x, g, b: np.ones(3), False),
    ],
    ids=["batch norm", "without root", "constants", "x", "affine", "centered", "no gamma", "cubes", "another shape"],
)
def test_what_is_enough_to_follow(program: Callable[..., Any], enough: bool) -> None:
    rng = np.random.default_rng(4)
    x, gamma, beta = rng.normal(1, 2, (5, 3)), rng.uniform(0.5, 2, 3), rng.normal(size=3)
    assert enough_to_follow(program, x, gamma, beta) is enough


def test_a_place_that_differs_says_enough() -> None:
    calls = []

    def counted(dy: Array, cache: Any) -> tuple[Array, Array, Array]:
        calls.append(dy.shape)
        return backward(dy, cache)

    assert backward_as_rows((on_maps(forward), on_maps(backward)), (forward, counted), seed=3, shape=SHAPE)
    n, c, h, w = SHAPE
    assert calls == [(n * h * w, c)] * 2 + [(n, c)], "maps as rows, rows in the wrong order, and one place"
