"""The equations as loops over the channels from `first` to `last`, compiled, for maps (N, C, S); `tables` has (N, C).

A channel's values are read from memory once, and again while they still lie in the cache. Sums are taken in the
array's own precision over a few hundred values, and these sums in float64: that is as fast as float32, and as exact
as float64. The mean is found in two steps, as in `numpy_bn.moments`: a value of the channel is subtracted first, and
what rounding has left in the mean is taken out.

Only additions may be reordered (`reassoc`), which lets a sum use whole vector registers. Full `fastmath` would let the
compiler assume that there is no NaN and no infinity; and it would merge the two steps of subtracting the mean into
one, which `less`, compiled without it, forbids.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

BLOCK = 512
"""Values that are added up in the array's own precision."""

strictly: Callable[[F], F] = njit(cache=True, nogil=True, error_model="numpy")
compiled: Callable[[F], F] = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
summing: Callable[[F], F] = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})


@strictly
def less(a: Any, b: Any) -> Any:
    """A difference that is computed as it is written."""
    return a - b


@summing
def shifted_sum(row: Any, shift: Any) -> Any:
    """Sum of row - shift."""
    total = row.dtype.type(0)
    for i in range(len(row)):
        total += less(row[i], shift)
    return total


@summing
def deviations(row: Any, center: Any) -> Any:
    """Sums of row - center and of its square."""
    total, squares = row.dtype.type(0), row.dtype.type(0)
    for i in range(len(row)):
        deviation = less(row[i], center)
        total += deviation
        squares += deviation * deviation
    return total, squares


@summing
def sum_and_dot(a: Any, b: Any) -> Any:
    """Sums of a and of a * b."""
    total, dot = a.dtype.type(0), a.dtype.type(0)
    for i in range(len(a)):
        total += a[i]
        dot += a[i] * b[i]
    return total, dot


@compiled
def forward_maps(
    x: Any,
    gamma: Any,
    beta: Any,
    eps: float,
    y: Any,
    x_hat: Any,
    inv_std: Any,
    mean: Any,
    var: Any,
    first: int,
    last: int,
) -> None:
    """Algorithm 1 on (N, C, S)."""
    samples, _, size = x.shape
    count = samples * size
    for c in range(first, last):
        shift = x[0, c, 0]
        total = 0.0
        for n in range(samples):
            for start in range(0, size, BLOCK):
                total += shifted_sum(x[n, c, start : start + BLOCK], shift)
        mean[c] = shift + total / count
        center = mean[c]
        rest, squares = 0.0, 0.0
        for n in range(samples):
            for start in range(0, size, BLOCK):
                part, square = deviations(x[n, c, start : start + BLOCK], center)
                rest += part
                squares += square
        rest /= count
        spread = squares / count - rest * rest
        if spread < 0.0:
            spread = 0.0
        mean[c], var[c] = center + rest, spread
        inv_std[c] = 1.0 / np.sqrt(spread + eps)
        rest_, inv_std_, gamma_, beta_ = x.dtype.type(rest), inv_std[c], gamma[c], beta[c]
        for n in range(samples):
            row, h, out = x[n, c], x_hat[n, c], y[n, c]
            for s in range(size):
                h[s] = ((row[s] - center) - rest_) * inv_std_
                out[s] = gamma_ * h[s] + beta_


@compiled
def backward_maps(
    dy: Any, x_hat: Any, inv_std: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any, first: int, last: int
) -> None:
    """Closed form on (N, C, S)."""
    samples, _, size = dy.shape
    count = samples * size
    for c in range(first, last):
        total, dot = 0.0, 0.0
        for n in range(samples):
            for start in range(0, size, BLOCK):
                part, product = sum_and_dot(dy[n, c, start : start + BLOCK], x_hat[n, c, start : start + BLOCK])
                total += part
                dot += product
        dbeta[c], dgamma[c] = total, dot
        through_mean, through_var = dy.dtype.type(total / count), dy.dtype.type(dot / count)
        scale = gamma[c] * inv_std[c]
        for n in range(samples):
            row, h, out = dy[n, c], x_hat[n, c], dx[n, c]
            for s in range(size):
                out[s] = scale * (row[s] - through_mean - h[s] * through_var)


@compiled
def inference_maps(
    x: Any, gamma: Any, beta: Any, mean: Any, inv_std: Any, y: Any, x_hat: Any, first: int, last: int
) -> None:
    """Algorithm 2 on (N, C, S)."""
    samples, _, size = x.shape
    for n in range(samples):
        for c in range(first, last):
            row, h, out = x[n, c], x_hat[n, c], y[n, c]
            mean_, inv_std_, gamma_, beta_ = mean[c], inv_std[c], gamma[c], beta[c]
            for s in range(size):
                h[s] = (row[s] - mean_) * inv_std_
                out[s] = gamma_ * h[s] + beta_


@compiled
def inference_backward_maps(
    dy: Any, x_hat: Any, inv_std: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any, first: int, last: int
) -> None:
    """Gradients with constant statistics on (N, C, S)."""
    samples, _, size = dy.shape
    for c in range(first, last):
        total, dot, scale = 0.0, 0.0, gamma[c] * inv_std[c]
        for n in range(samples):
            for start in range(0, size, BLOCK):
                part, product = sum_and_dot(dy[n, c, start : start + BLOCK], x_hat[n, c, start : start + BLOCK])
                total += part
                dot += product
            row, out = dy[n, c], dx[n, c]
            for s in range(size):
                out[s] = row[s] * scale
        dbeta[c], dgamma[c] = total, dot
