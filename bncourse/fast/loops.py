"""The equations as loops over the channels from `first` to `last`, compiled: (N, C) row by row, (N, C, S) map by map.

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

PANEL = 1 << 17
"""Values of a panel of columns of a matrix: 512 KiB of float32, which stay in a second-level cache."""

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
def forward_table(
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
    """Algorithm 1 on (N, C), panel by panel of columns, and in a panel row by row."""
    count = len(x)
    width = max(256, PANEL // count // 16 * 16)
    for left in range(first, last, width):
        right = min(left + width, last)
        shift = x[0, left:right].copy()
        total = np.zeros(right - left)
        for start in range(0, count, BLOCK):
            part = np.zeros(right - left, x.dtype)
            for n in range(start, min(start + BLOCK, count)):
                row = x[n, left:right]
                for c in range(right - left):
                    part[c] += row[c] - shift[c]
            total += part
        center = mean[left:right]
        for c in range(right - left):
            center[c] = shift[c] + total[c] / count
        rest, spread = np.zeros(right - left), np.zeros(right - left)
        for start in range(0, count, BLOCK):
            part, square = np.zeros(right - left, x.dtype), np.zeros(right - left, x.dtype)
            for n in range(start, min(start + BLOCK, count)):
                row = x[n, left:right]
                for c in range(right - left):
                    deviation = row[c] - center[c]
                    part[c] += deviation
                    square[c] += deviation * deviation
            rest += part
            spread += square
        middle, left_over = center.copy(), np.empty(right - left, x.dtype)
        for c in range(right - left):
            rest[c] /= count
            spread[c] = spread[c] / count - rest[c] * rest[c]
            if spread[c] < 0.0:
                spread[c] = 0.0
            left_over[c] = rest[c]
            mean[left + c], var[left + c] = middle[c] + rest[c], spread[c]
            inv_std[left + c] = 1.0 / np.sqrt(spread[c] + eps)
        inv_std_, gamma_, beta_ = inv_std[left:right], gamma[left:right], beta[left:right]
        for n in range(count):
            row, h, out = x[n, left:right], x_hat[n, left:right], y[n, left:right]
            for c in range(right - left):
                h[c] = ((row[c] - middle[c]) - left_over[c]) * inv_std_[c]
            for c in range(right - left):
                out[c] = gamma_[c] * h[c] + beta_[c]


@compiled
def table_sums(dy: Any, x_hat: Any, left: int, right: int) -> Any:
    """Sums of dy and of dy * x_hat of some columns, in float64."""
    totals, dots = np.zeros(right - left), np.zeros(right - left)
    for start in range(0, len(dy), BLOCK):
        part, product = np.zeros(right - left, dy.dtype), np.zeros(right - left, dy.dtype)
        for n in range(start, min(start + BLOCK, len(dy))):
            row, h = dy[n, left:right], x_hat[n, left:right]
            for c in range(right - left):
                part[c] += row[c]
                product[c] += row[c] * h[c]
        totals += part
        dots += product
    return totals, dots


@compiled
def backward_table(
    dy: Any, x_hat: Any, inv_std: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any, first: int, last: int
) -> None:
    """Closed form on (N, C), panel by panel of columns, and in a panel row by row."""
    count = len(dy)
    width = max(256, PANEL // 2 // count // 16 * 16)
    for left in range(first, last, width):
        right = min(left + width, last)
        totals, dots = table_sums(dy, x_hat, left, right)
        dbeta[left:right], dgamma[left:right] = totals, dots
        through_mean, through_var = np.empty(right - left, dy.dtype), np.empty(right - left, dy.dtype)
        scale = gamma[left:right] * inv_std[left:right]
        for c in range(right - left):
            through_mean[c], through_var[c] = totals[c] / count, dots[c] / count
        for n in range(count):
            row, h, out = dy[n, left:right], x_hat[n, left:right], dx[n, left:right]
            for c in range(right - left):
                out[c] = scale[c] * (row[c] - through_mean[c] - h[c] * through_var[c])


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
def inference_table(
    x: Any, gamma: Any, beta: Any, mean: Any, inv_std: Any, y: Any, x_hat: Any, first: int, last: int
) -> None:
    """Algorithm 2 on (N, C)."""
    mean_, inv_std_, gamma_, beta_ = mean[first:last], inv_std[first:last], gamma[first:last], beta[first:last]
    for n in range(len(x)):
        row, h, out = x[n, first:last], x_hat[n, first:last], y[n, first:last]
        for c in range(last - first):
            h[c] = (row[c] - mean_[c]) * inv_std_[c]
        for c in range(last - first):
            out[c] = gamma_[c] * h[c] + beta_[c]


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


@compiled
def inference_backward_table(
    dy: Any, x_hat: Any, inv_std: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any, first: int, last: int
) -> None:
    """Gradients with constant statistics on (N, C)."""
    dbeta[first:last], dgamma[first:last] = table_sums(dy, x_hat, first, last)
    scale = gamma[first:last] * inv_std[first:last]
    for n in range(len(dy)):
        row, out = dy[n, first:last], dx[n, first:last]
        for c in range(last - first):
            out[c] = row[c] * scale[c]
