"""Walk over large arrays in pieces that stay in the processor's cache, in NumPy.

Batch normalization does little arithmetic per value, so its time is spent moving values. A chain of NumPy
operations over a whole array fetches and stores it once per operation; the same chain over one piece after the
other fetches it once. Nothing here knows batch norm: the rules stand in `moments` and `functional`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
P = ParamSpec("P")
R = TypeVar("R")

BLOCK = 1 << 17
"""Values in a piece: 512 KiB of float32, so that a few pieces fit into a second-level cache."""

ROW = 1 << 15
"""Values that a piece takes of one sample, where a sample holds more."""

SUMMED = 1 << 10
"""Samples in a piece at most: the sum over one piece is taken in order, and its rounding errors add up."""


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


def blocks(arrays: Sequence[Array], vectors: Sequence[Array] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the arrays piece by piece, and with each piece the values of its channels.

    Parameters
    ----------
    arrays : sequence of arrays of one shape (N, C, ...)
        To read, or to write if contiguous.
    vectors : sequence of arrays of shape (C,)
        One value per channel.

    Yields
    ------
    channels : slice
        The piece's channels.
    *pieces : arrays of shape (n, c) or (n, c, s)
        A view of each array: n samples, c neighboring channels, and their s values if they have several.
    *values : arrays of shape (c,) or (c, s)
        Each vector's values for these channels, repeated for each of a channel's s values.

    Examples
    --------
    >>> [(channels, x, mean)] = blocks([np.zeros((5, 2, 3))], [np.array([7.0, 8.0])])
    >>> x.shape, mean.tolist()
    ((5, 2, 3), [[7.0, 7.0, 7.0], [8.0, 8.0, 8.0]])
    """
    arrays = [flat(array) for array in arrays]
    samples, channels, *size = arrays[0].shape
    width = size[0] if size else 1
    together = min(channels, max(1, ROW // width)) if size else channels
    rows = min(max(1, BLOCK // (together * width)), SUMMED)
    for first in range(0, channels, together):
        part = slice(first, min(first + together, channels))
        values = [spread(vector[part], size) for vector in vectors]
        for start in range(0, samples, rows):
            pieces = [array[start : start + rows, part] for array in arrays]
            yield part, *pieces, *values


def spread(vector: Array, size: list[int]) -> Array:
    """Repeat each channel's value for its s values: (c,) becomes (c, s), or stays where a channel has one value."""
    return np.repeat(vector, size[0]).reshape(-1, *size) if size else vector


def flat(array: Array) -> Array:
    """View (N, C, ...) as (N, C, S), and leave (N, C) as it is."""
    return array if array.ndim == 2 else array.reshape(*array.shape[:2], -1)


def channel_sums(array: Array) -> Array:
    """Sum over every axis but the channels': a product with ones, which the linear algebra library does fastest."""
    ones = np.ones(array.shape[2] if array.ndim == 3 else len(array), array.dtype)
    sums: Array = (array @ ones).sum(axis=0) if array.ndim == 3 else ones @ array
    return sums


def channel_dots(first: Array, second: Array) -> Array:
    """Sum of products over every axis but the channels', without storing the products."""
    dots: Array
    if first.ndim == 3:
        dots = np.einsum("ncs,ncs->nc", first, second).sum(axis=0)
    else:
        dots = np.einsum("nc,nc->c", first, second)
    return dots
