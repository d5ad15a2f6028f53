"""The checks that other courses use, built again, to see what they let pass.

Each is fair in all but the one habit that it is named after. They answer True for "passes".
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]

STEP = 1e-5
CLOSE = 1e-5
"""Largest difference from the difference quotient, relative to the larger of the two."""


def _batch(samples: int, features: int = 4) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(11)
    x = rng.standard_normal((samples, features)) * rng.uniform(1, 3, features) + rng.uniform(-3, 3, features)
    return x, rng.uniform(0.5, 2, features), rng.standard_normal(features), rng.standard_normal((samples, features))


def _agrees(forward: Function, backward: Function, inputs: tuple[Array, Array, Array], dy: Function) -> bool:
    """Whether all three gradients agree with central differences of sum(dy * y), entry by entry."""
    y, cache = forward(*(value.copy() for value in inputs))
    upstream = dy(np.asarray(y))
    gradients = backward(upstream.copy(), cache)
    if isinstance(gradients, dict):
        gradients = tuple(gradients.values())
    for position, (point, found) in enumerate(zip(inputs, gradients, strict=True)):
        measured = np.empty_like(point)
        for index in np.ndindex(point.shape):
            losses = []
            for step in (STEP, -STEP):
                moved = [value.copy() for value in inputs]
                moved[position][index] += step
                losses.append(float((upstream * forward(*moved)[0]).sum()))
            measured[index] = (losses[0] - losses[1]) / (2 * STEP)
        size = max(float(np.abs(measured).max()), float(np.abs(found).max()), 1e-3)
        if not np.abs(np.asarray(found) - measured).max() <= CLOSE * size:
            return False
    return True


def _guarded(check: Callable[[], bool]) -> bool:
    """An error, or shapes that do not fit, count as caught."""
    try:
        with np.errstate(all="ignore"):
            return bool(check())
    except Exception:
        return False


def upstream_of_ones(forward: Function, backward: Function) -> bool:
    """Check the gradient of sum(y): dy is 1 everywhere, where dx is zero for every x."""
    x, gamma, beta, _ = _batch(8)
    return _guarded(lambda: _agrees(forward, backward, (x, gamma, beta), np.ones_like))


def sum_of_squares(forward: Function, backward: Function) -> bool:
    """Check the gradient of sum(y ** 2) at gamma = 1, beta = 0: dy is 2 x_hat, where dx is zero but for eps."""
    x, gamma, beta, _ = _batch(8)
    inputs = x, np.ones_like(gamma), np.zeros_like(beta)
    return _guarded(lambda: _agrees(forward, backward, inputs, lambda y: 2 * y))


def batch_of_two(forward: Function, backward: Function) -> bool:
    """Check a random upstream gradient on two samples, which always become -1 and 1, so that dx is zero but for eps."""
    x, gamma, beta, dy = _batch(2)
    return _guarded(lambda: _agrees(forward, backward, (x, gamma, beta), lambda y: dy))


def one_decimal(forward: Function, backward: Function) -> bool:
    """Compare with recorded right values to one decimal, at a random upstream gradient of a mean loss."""
    from bncourse.numpy_bn import functional as reference

    x, gamma, beta, dy = _batch(64)

    def check() -> bool:
        y, cache = forward(x.copy(), gamma.copy(), beta.copy())
        expected, own = reference.batch_norm_forward(x, gamma, beta)
        found = backward(dy / 64, cache)
        found = tuple(found.values()) if isinstance(found, dict) else found
        pairs = [(y, expected), *zip(found, reference.batch_norm_backward(dy / 64, own), strict=True)]
        return all(bool((np.abs(np.asarray(one) - two) < 1.5 * 10**-1).all()) for one, two in pairs)

    return _guarded(check)


def mean_and_std(forward: Function, backward: Function) -> bool:
    """Look at the mean and the standard deviation of y for a large batch, and at no gradient."""
    x, gamma, beta, _ = _batch(256)

    def check() -> bool:
        y = np.asarray(forward(x.copy(), gamma.copy(), beta.copy())[0])
        near = np.abs(y.mean(axis=0) - beta).max() < 1e-2
        return bool(near and np.abs(y.std(axis=0) - gamma).max() < 1e-2)

    return _guarded(check)


OTHER_CHECKS: dict[str, Callable[[Function, Function], bool]] = {
    "dy of ones": upstream_of_ones,
    "sum of squares": sum_of_squares,
    "two samples": batch_of_two,
    "one decimal": one_decimal,
    "mean and std of y": mean_and_std,
}
