"""How gradient checks fail: steps that are too long or too short, and probes that see nothing.

Six wrong backward passes meet five checks. Each check compares dx with central differences of the forward pass, as
course tests do; what differs is the upstream gradient, the size of the batch and eps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bncourse.numpy_bn import batch_norm_forward

Array = np.ndarray[Any, Any]
Backward = Callable[[Array, Array, float], Array]


def _parts(dy: Array, x: Array, eps: float) -> tuple[Array, Array, Array, Array]:
    """Return inv_std, dy, and what the paths through the mean and the variance take away from it (gamma = 1)."""
    inv_std = 1.0 / np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) * inv_std
    return inv_std, dy, dy.mean(axis=0) + 0.0 * dy, x_hat * (dy * x_hat).mean(axis=0)


def right(dy: Array, x: Array, eps: float) -> Array:
    """The closed form."""
    inv_std, direct, mean, var = _parts(dy, x, eps)
    dx: Array = inv_std * (direct - mean - var)
    return dx


def nothing(dy: Array, x: Array, eps: float) -> Array:
    """No gradient at all."""
    return np.zeros_like(dy)


def no_mean_path(dy: Array, x: Array, eps: float) -> Array:
    """The path through the mean is forgotten."""
    inv_std, direct, _, var = _parts(dy, x, eps)
    dx: Array = inv_std * (direct - var)
    return dx


def no_variance_path(dy: Array, x: Array, eps: float) -> Array:
    """The path through the variance is forgotten."""
    inv_std, direct, mean, _ = _parts(dy, x, eps)
    dx: Array = inv_std * (direct - mean)
    return dx


def constant_statistics(dy: Array, x: Array, eps: float) -> Array:
    """Mean and variance are taken for constants."""
    inv_std, direct, _, _ = _parts(dy, x, eps)
    dx: Array = inv_std * direct
    return dx


def one_less(dy: Array, x: Array, eps: float) -> Array:
    """Sums are divided by m - 1."""
    inv_std, direct, mean, var = _parts(dy, x, eps)
    dx: Array = inv_std * (direct - (mean + var) * len(x) / (len(x) - 1))
    return dx


def eps_outside(dy: Array, x: Array, eps: float) -> Array:
    """Eps is added to the standard deviation."""
    _, direct, mean, var = _parts(dy, x, 0.0)
    dx: Array = (direct - mean - var) / (x.std(axis=0) + eps)
    return dx


WRONG: dict[str, Backward] = {
    "dx = 0": nothing,
    "no path through the mean": no_mean_path,
    "no path through the variance": no_variance_path,
    "statistics as constants": constant_statistics,
    "m - 1 in place of m": one_less,
    "eps outside the root": eps_outside,
}


class Check(NamedTuple):
    """An upstream gradient ("ones", "2 x_hat" or "random"), the size of the batch, and eps."""

    upstream: str
    batch: int
    eps: float


CHECKS: dict[str, Check] = {
    "ones": Check("ones", 8, 1e-5),
    "2 x̂": Check("2 x_hat", 8, 1e-5),
    "N = 2": Check("random", 2, 1e-5),
    "random": Check("random", 8, 1e-5),
    "random,\neps 0.1": Check("random", 8, 0.1),
}


def disagreement(backward: Backward, check: Check, *, seed: int = 0) -> float:
    """Largest difference between dx and central differences of the loss, in units of the size of dy / std.

    Parameters
    ----------
    backward : callable
        `backward(dy, x, eps) -> dx` for gamma = 1.
    check : Check
    seed : int

    Returns
    -------
    float
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((check.batch, 1))
    one, zero = np.ones(1), np.zeros(1)
    y, cache = batch_norm_forward(x, one, zero, eps=check.eps)
    upstream = {"ones": np.ones_like(y), "2 x_hat": 2.0 * cache.x_hat, "random": rng.standard_normal(y.shape)}
    dy = upstream[check.upstream]
    numerical = np.zeros_like(x)
    h = 1e-5
    for place in range(check.batch):
        moved = np.zeros_like(x)
        moved[place] = h
        up, _ = batch_norm_forward(x + moved, one, zero, eps=check.eps)
        down, _ = batch_norm_forward(x - moved, one, zero, eps=check.eps)
        numerical[place] = (dy * (up - down)).sum() / (2.0 * h)
    size = float(np.abs(dy).max() / x.std())
    return float(np.abs(backward(dy, x, check.eps) - numerical).max()) / size


def errors_by_step(steps: Array, *, seed: int = 0) -> dict[str, Array]:
    """Relative error of u^T J v by forward differences, central differences and the complex step.

    Parameters
    ----------
    steps : array
        Steps along a random direction v; the cotangent u is random, too.
    seed : int

    Returns
    -------
    dict
        For each method an array of the shape of steps.
    """
    rng = np.random.default_rng(seed)
    x, direction, cotangent = (rng.standard_normal((8, 3)) for _ in range(3))

    def along(t: complex, dtype: Any = None) -> Any:
        moved = x + t * direction
        moved = moved if dtype is None else moved.astype(dtype)
        return batch_norm_forward(moved, np.ones(3, moved.dtype), np.zeros(3, moved.dtype))[0]

    exact = float((cotangent * along(1e-100j).imag / 1e-100).sum())
    found: dict[str, list[float]] = {"one-sided": [], "central": [], "central, float32": [], "complex step": []}
    for h in steps:
        rates = {
            "one-sided": (along(h) - along(0.0)) / h,
            "central": (along(h) - along(-h)) / (2.0 * h),
            "central, float32": (along(h, np.float32) - along(-h, np.float32)).astype(np.float64) / (2.0 * h),
            "complex step": along(1j * h).imag / h,
        }
        for name, rate in rates.items():
            found[name].append(abs(float((cotangent * rate).sum()) - exact) / abs(exact))
    return {name: np.array(values) for name, values in found.items()}
