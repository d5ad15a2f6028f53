"""The equations as compiled loops for tables (N, C), which are stored row by row.

A thread alone goes over panels of columns, each so small that it stays in the cache from the first pass to the last.
Several threads share the columns where these are many. Where they are few, a thread would have a short piece of each
row: there the threads share the rows, and wait for each other where the sums of all rows are needed.
"""

from typing import Any

import numpy as np

from bncourse.fast.loops import BLOCK, compiled
from bncourse.fast.threads import over_parts, threads_for

PANEL = 1 << 18
"""Values of a panel of columns: 1 MiB of float32, which stays in a second-level cache of 2 MiB."""

PIECE = 1 << 12
"""Bytes of a row that are worth a thread: a page of memory, up to which the processor reads ahead."""


def by_rows(x: Any) -> bool:
    """Whether threads should share the rows of a table rather than its columns."""
    threads = threads_for(x.size)
    return threads > 1 and x.shape[1] * x.itemsize < threads * PIECE


# --- the passes over the rows from `top` to `bottom` and the columns from `left` to `right` ---


@compiled
def shifted_sums(x: Any, shift: Any, top: int, bottom: int, left: int, right: int) -> Any:
    """Sums of x - shift, in float64."""
    total = np.zeros(right - left)
    for start in range(top, bottom, BLOCK):
        part = np.zeros(right - left, x.dtype)
        for n in range(start, min(start + BLOCK, bottom)):
            row = x[n, left:right]
            for c in range(right - left):
                part[c] += row[c] - shift[c]
        total += part
    return total


@compiled
def deviations(x: Any, center: Any, top: int, bottom: int, left: int, right: int) -> Any:
    """Sums of x - center and of its square, in float64."""
    rest, squares = np.zeros(right - left), np.zeros(right - left)
    for start in range(top, bottom, BLOCK):
        part, square = np.zeros(right - left, x.dtype), np.zeros(right - left, x.dtype)
        for n in range(start, min(start + BLOCK, bottom)):
            row = x[n, left:right]
            for c in range(right - left):
                deviation = row[c] - center[c]
                part[c] += deviation
                square[c] += deviation * deviation
        rest += part
        squares += square
    return rest, squares


@compiled
def statistics(center: Any, rest: Any, squares: Any, count: int, eps: float, inv_std: Any, mean: Any, var: Any) -> Any:
    """Fill in what the sums of deviations say; what is left of the mean, by column, is returned."""
    left_over = np.empty_like(center)
    for c in range(len(center)):
        rest[c] /= count
        spread = squares[c] / count - rest[c] * rest[c]
        if spread < 0.0:
            spread = 0.0
        left_over[c] = rest[c]
        mean[c], var[c] = center[c] + rest[c], spread
        inv_std[c] = 1.0 / np.sqrt(spread + eps)
    return left_over


@compiled
def normalize(
    x: Any,
    center: Any,
    left_over: Any,
    inv_std: Any,
    gamma: Any,
    beta: Any,
    y: Any,
    x_hat: Any,
    top: int,
    bottom: int,
    left: int,
    right: int,
) -> None:
    """Write x_hat and y."""
    for n in range(top, bottom):
        row, h, out = x[n, left:right], x_hat[n, left:right], y[n, left:right]
        for c in range(right - left):
            h[c] = ((row[c] - center[c]) - left_over[c]) * inv_std[c]
        for c in range(right - left):
            out[c] = gamma[c] * h[c] + beta[c]


@compiled
def sums_and_dots(dy: Any, x_hat: Any, top: int, bottom: int, left: int, right: int) -> Any:
    """Sums of dy and of dy * x_hat, in float64."""
    totals, dots = np.zeros(right - left), np.zeros(right - left)
    for start in range(top, bottom, BLOCK):
        part, product = np.zeros(right - left, dy.dtype), np.zeros(right - left, dy.dtype)
        for n in range(start, min(start + BLOCK, bottom)):
            row, h = dy[n, left:right], x_hat[n, left:right]
            for c in range(right - left):
                part[c] += row[c]
                product[c] += row[c] * h[c]
        totals += part
        dots += product
    return totals, dots


@compiled
def closed_form(
    dy: Any,
    x_hat: Any,
    scale: Any,
    totals: Any,
    dots: Any,
    count: int,
    dx: Any,
    top: int,
    bottom: int,
    left: int,
    right: int,
) -> None:
    """Write dx."""
    through_mean, through_var = np.empty(right - left, dy.dtype), np.empty(right - left, dy.dtype)
    for c in range(right - left):
        through_mean[c], through_var[c] = totals[c] / count, dots[c] / count
    for n in range(top, bottom):
        row, h, out = dy[n, left:right], x_hat[n, left:right], dx[n, left:right]
        for c in range(right - left):
            out[c] = scale[c] * (row[c] - through_mean[c] - h[c] * through_var[c])


# --- whole tables ---


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
    """Algorithm 1 on the columns from `first` to `last`, panel by panel."""
    count = len(x)
    width = max(256, PANEL // count // 16 * 16)
    for left in range(first, last, width):
        right = min(left + width, last)
        center = x[0, left:right].copy()
        total = shifted_sums(x, center, 0, count, left, right)
        for c in range(right - left):
            center[c] += total[c] / count
        rest, squares = deviations(x, center, 0, count, left, right)
        inv_std_, gamma_, beta_ = inv_std[left:right], gamma[left:right], beta[left:right]
        left_over = statistics(center, rest, squares, count, eps, inv_std_, mean[left:right], var[left:right])
        normalize(x, center, left_over, inv_std_, gamma_, beta_, y, x_hat, 0, count, left, right)


def forward_by_rows(
    x: Any, gamma: Any, beta: Any, eps: float, y: Any, x_hat: Any, inv_std: Any, mean: Any, var: Any
) -> None:
    """Algorithm 1, the rows shared among threads."""
    count, columns = x.shape
    shift = x[0].copy()
    with np.errstate(all="ignore"):
        parts = over_parts(lambda top, bottom: shifted_sums(x, shift, top, bottom, 0, columns), count, x.size)
        center = (shift + sum(parts) / count).astype(x.dtype)
        parts = over_parts(lambda top, bottom: deviations(x, center, top, bottom, 0, columns), count, x.size)
        rest, squares = (sum(sums) for sums in zip(*parts, strict=True))
    left_over = statistics(center, rest, squares, count, eps, inv_std, mean, var)
    arguments = (x, center, left_over, inv_std, gamma, beta, y, x_hat)
    over_parts(lambda top, bottom: normalize(*arguments, top, bottom, 0, columns), count, x.size)


@compiled
def backward_table(
    dy: Any, x_hat: Any, inv_std: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any, first: int, last: int
) -> None:
    """Closed form on the columns from `first` to `last`, panel by panel."""
    count = len(dy)
    width = max(256, PANEL // 2 // count // 16 * 16)
    for left in range(first, last, width):
        right = min(left + width, last)
        totals, dots = sums_and_dots(dy, x_hat, 0, count, left, right)
        dbeta[left:right], dgamma[left:right] = totals, dots
        scale = gamma[left:right] * inv_std[left:right]
        closed_form(dy, x_hat, scale, totals, dots, count, dx, 0, count, left, right)


def backward_by_rows(dy: Any, x_hat: Any, inv_std: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any) -> None:
    """Closed form, the rows shared among threads."""
    count, columns = dy.shape
    with np.errstate(all="ignore"):
        parts = over_parts(lambda top, bottom: sums_and_dots(dy, x_hat, top, bottom, 0, columns), count, dy.size)
        totals, dots = (sum(sums) for sums in zip(*parts, strict=True))
        dbeta[:], dgamma[:] = totals, dots
        scale = gamma * inv_std
    arguments = (dy, x_hat, scale, totals, dots, count, dx)
    over_parts(lambda top, bottom: closed_form(*arguments, top, bottom, 0, columns), count, dy.size)


@compiled
def inference_table(
    x: Any, gamma: Any, beta: Any, mean: Any, inv_std: Any, y: Any, x_hat: Any, first: int, last: int
) -> None:
    """Algorithm 2 on the columns from `first` to `last`."""
    nothing = np.zeros(last - first, x.dtype)
    mean_, inv_std_, gamma_, beta_ = mean[first:last], inv_std[first:last], gamma[first:last], beta[first:last]
    normalize(x, mean_, nothing, inv_std_, gamma_, beta_, y, x_hat, 0, len(x), first, last)


def inference_by_rows(x: Any, gamma: Any, beta: Any, mean: Any, inv_std: Any, y: Any, x_hat: Any) -> None:
    """Algorithm 2, the rows shared among threads."""
    arguments = (x, mean, np.zeros_like(mean), inv_std, gamma, beta, y, x_hat)
    over_parts(lambda top, bottom: normalize(*arguments, top, bottom, 0, x.shape[1]), len(x), x.size)


@compiled
def scaled(dy: Any, scale: Any, dx: Any, top: int, bottom: int, left: int, right: int) -> None:
    """Write dx where the statistics are constants."""
    for n in range(top, bottom):
        row, out = dy[n, left:right], dx[n, left:right]
        for c in range(right - left):
            out[c] = row[c] * scale[c]


@compiled
def inference_backward_table(
    dy: Any, x_hat: Any, inv_std: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any, first: int, last: int
) -> None:
    """Gradients with constant statistics on the columns from `first` to `last`."""
    dbeta[first:last], dgamma[first:last] = sums_and_dots(dy, x_hat, 0, len(dy), first, last)
    scaled(dy, gamma[first:last] * inv_std[first:last], dx, 0, len(dy), first, last)


def inference_backward_by_rows(dy: Any, x_hat: Any, inv_std: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any) -> None:
    """Gradients with constant statistics, the rows shared among threads."""
    columns = dy.shape[1]
    with np.errstate(all="ignore"):
        scale = gamma * inv_std

        def part(top: int, bottom: int) -> Any:
            scaled(dy, scale, dx, top, bottom, 0, columns)
            return sums_and_dots(dy, x_hat, top, bottom, 0, columns)

        parts = over_parts(part, len(dy), dy.size)
        dbeta[:], dgamma[:] = (sum(sums) for sums in zip(*parts, strict=True))
