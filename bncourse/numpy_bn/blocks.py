"""Walk over large arrays in pieces that stay in the processor's cache, in NumPy.

Batch normalization does little arithmetic per value, so its time is spent moving values. A chain of NumPy
operations over a whole array fetches and stores it once per operation; the same chain over one piece after the
other fetches it once. Nothing here knows batch norm: the rules stand in `moments` and `functional`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from bncourse.conventions import Shape

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Sequence[Array]
P = ParamSpec("P")
R = TypeVar("R")

BLOCK = 1 << 17
"""Values in a piece: 512 KiB of float32, so that a few pieces fit into a second-level cache."""

SHORT, LONG = 1 << 9, 1 << 12
"""Rows of fewer values show what NumPy spends on each row; samples of few channels are joined to this length."""

SUMMED = 1 << 10
"""Rows in a piece at most: the sum over one piece is taken in order, and its rounding errors add up."""

CACHE_LINE = 64
"""Bytes. Where an array begins in the middle of one, storing into it takes up to twice the time."""


def empty(shape: Shape, dtype: Any) -> Array:
    """`np.empty`, beginning where a cache line begins."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + CACHE_LINE, np.uint8)
    start: int = -memory.__array_interface__["data"][0] % CACHE_LINE
    return np.ndarray(shape, dtype, buffer=memory, offset=start)


def blockwise(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` with the settings of NumPy in which work in blocks is fast, and NaN passes silently.

    Where one operand is broadcast, NumPy copies it through its casting buffer, although nothing is cast; that
    takes as long as the operation. A buffer of 16 values is never used so. NaN and infinity propagate without
    a warning, as they do in PyTorch.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(all="ignore"):
            before = np.setbufsize(16)
            try:
                return function(*args, **kwargs)
            finally:
                np.setbufsize(before)

    return run


def blocks(arrays: Arrays, vectors: Arrays = (), totals: Arrays = (), *, backwards: bool = False) -> Iterator[Arrays]:
    """Yield the arrays piece by piece, and with each piece what belongs to its channels.

    Parameters
    ----------
    arrays : sequence of arrays of one shape (N, C, ...)
        To read, or to write if contiguous.
    vectors : sequence of arrays of shape (C,)
        One value per channel, to compute with.
    totals : sequence of arrays of shape (C,)
        One value per channel, to add to.
    backwards : bool
        Begin with the last piece, which the walk before this one has left in the cache.

    Yields
    ------
    *pieces : arrays of shape (n, k * c) or (n, c, s)
        A view of each array: n rows of k samples with their channels one after another; or n samples, c neighboring
        channels, and their s values.
    *values : arrays of shape (k * c,), (c, s) or (c, 1)
        Each vector's values, repeated as in a row of the pieces.
    *totals : arrays of shape (k * c,) or (c,)
        Those of these channels. Where a row holds k samples, they enter the vectors when the walk has ended.

    Examples
    --------
    >>> [(x, mean)] = blocks([np.zeros((8, 2, 3))], [np.array([7.0, 8.0])])
    >>> x.shape, mean.tolist()
    ((8, 2, 3), [[7.0, 7.0, 7.0], [8.0, 8.0, 8.0]])
    """
    walk = (_rows if arrays[0].ndim == 2 else _maps)(arrays, vectors, totals)
    return reversed(list(walk)) if backwards else walk


def _rows(arrays: Arrays, vectors: Arrays, totals: Arrays) -> Iterator[Arrays]:
    """Pieces of arrays (N, C); where C is small, a row holds k samples, and the last piece is a shorter row."""
    samples, channels = arrays[0].shape
    short = channels < SHORT and all(array.flags.c_contiguous for array in arrays)
    k = min(samples, LONG // channels) if short else 1
    rows = min(max(1, BLOCK // (k * channels)), SUMMED)
    even = samples - samples % k
    lines, values, sums = arrays, vectors, totals
    if k > 1:
        lines = [array[:even].reshape(-1, k * channels) for array in arrays]
        values = [vector[None].repeat(k, axis=0).ravel() for vector in vectors]
        sums = [np.zeros(k * channels, total.dtype) for total in totals]
    for start in range(0, even // k, rows):
        yield [*[line[start : start + rows] for line in lines], *values, *sums]
    if even < samples:
        rest = [array[even:].reshape(1, -1) for array in arrays]
        yield [*rest, *[value[: rest[0].size] for value in [*values, *sums]]]
    if k > 1:
        for total, row in zip(totals, sums, strict=True):
            add_sums(total, row.reshape(k, channels))


def _maps(arrays: Arrays, vectors: Arrays, totals: Arrays) -> Iterator[Arrays]:
    """Pieces of arrays (N, C, ...): whole samples, or, where these are large, neighboring channels of a sample."""
    arrays = [array.reshape(*array.shape[:2], -1) for array in arrays]
    samples, channels, size = arrays[0].shape
    together = min(channels, max(1, BLOCK // size))
    rows = min(max(1, BLOCK // (together * size)), SUMMED)
    repeats = size if size < SHORT and samples >= 8 else 1
    for first in range(0, channels, together):
        part = slice(first, min(first + together, channels))
        values = [spread(vector[part], repeats) for vector in vectors]
        parts = [total[part] for total in totals]
        for start in range(0, samples, rows):
            yield [*[array[start : start + rows, part] for array in arrays], *values, *parts]


def spread(vector: Array, repeats: int) -> Array:
    """Repeat each channel's value: (c,) becomes (c, repeats)."""
    return vector.repeat(repeats).reshape(-1, repeats)


def add_sums(total: Array, piece: Array) -> None:
    """Add each column's or channel's sum to `total`: products with ones, which linear algebra libraries do fastest."""
    if piece.ndim == 3:
        total += (piece @ np.ones(piece.shape[2], piece.dtype)).sum(axis=0)
    else:
        total += np.ones(len(piece), piece.dtype) @ piece


def add_dots(total: Array, first: Array, second: Array) -> None:
    """Add each column's or channel's sum of products to `total`, without storing the products."""
    if first.ndim == 3:
        total += (first[:, :, None, :] @ second[:, :, :, None])[:, :, 0, 0].sum(axis=0)
    else:
        total += np.einsum("nc,nc->c", first, second)
