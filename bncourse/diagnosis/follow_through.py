"""Whether a function that agrees with a student's own, wrong one has done the work that a task asks for.

A slip in one task is not charged again in the next one that calls it. But two functions that return constants, or what
they were given, agree as well. So agreement counts only where a wrong layout would have shown: where the answer
depends on its input, on the place in it, and on the values that are normalized together.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]

SAME, OTHER = 1e-9, 1e-3
"""Results differ by less than the first, or by more than the second."""
EPS = 0.1


def enough_to_follow(forward: Function, x: Array, gamma: Array, beta: Array) -> bool:
    """Whether a forward pass is as much work to differentiate as a normalization.

    It is if y depends on gamma and on beta, if one entry of x moves others of y, and if y does not just scale with x.

    Parameters
    ----------
    forward : callable
        `forward(x, gamma, beta) -> y`, with y of the shape of x.
    x, gamma, beta : arrays
        Where it is tried.
    """

    def y_of(*arguments: Array) -> Array:
        return np.asarray(forward(*arguments), dtype=float)

    y, single = y_of(x, gamma, beta), x.copy()
    if y.shape != x.shape:
        return False
    single[(0,) * x.ndim] += 1
    moved = np.abs(y_of(single, gamma, beta) - y)
    moved[(0,) * x.ndim] = 0
    curved = y_of(2 * x, gamma, beta) - 2 * y + y_of(0 * x, gamma, beta)
    changes = (moved, curved, y_of(x, gamma + 1, beta) - y, y_of(x, gamma, beta + 1) - y)
    return all(float(np.abs(change).max()) > OTHER for change in changes)


def forward_as_rows(maps_forward: Function, rows_forward: Function, *, seed: int, shape: tuple[int, ...]) -> bool:
    """Whether a forward pass for feature maps does to them what another one does to rows.

    Parameters
    ----------
    maps_forward, rows_forward : callables
        `forward(x, gamma, beta, eps=eps) -> (y, cache)`, for (N, C, H, W) and for (N, C).
    seed : int
        Of the numbers that are tried.
    shape : tuple of int
        Of the feature maps.
    """
    maps, _, scale, shift = _numbers(seed, shape)

    def of_rows(rows: Array) -> list[Array]:
        return [np.asarray(rows_forward(rows, scale, shift, eps=EPS)[0], dtype=float)]

    found = np.asarray(maps_forward(maps, scale, shift, eps=EPS)[0], dtype=float)
    return _agree([found], of_rows, (maps,))


def backward_as_rows(
    maps: tuple[Function, Function], rows: tuple[Function, Function], *, seed: int, shape: tuple[int, ...]
) -> bool:
    """Whether a backward pass for feature maps does to them what another one does to rows.

    Parameters
    ----------
    maps, rows : pairs of callables
        A forward and a backward pass, for (N, C, H, W) and for (N, C).
    seed, shape
        See `forward_as_rows`.
    """
    x, dy, scale, shift = _numbers(seed, shape)

    def of_rows(some: Array, upstream: Array) -> list[Array]:
        _, cache = rows[0](some, scale, shift, eps=EPS)
        return [np.asarray(part, dtype=float) for part in rows[1](upstream, cache)]

    _, cache = maps[0](x, scale, shift, eps=EPS)
    found = [np.asarray(part, dtype=float) for part in maps[1](dy, cache)]
    varied = len(found) == 3 and found[2].size > 0 and float(np.ptp(found[2])) > OTHER
    return varied and _agree(found, of_rows, (x, dy))


def _numbers(seed: int, shape: tuple[int, ...]) -> tuple[Array, Array, Array, Array]:
    """Maps, dy, gamma and beta."""
    rng = np.random.default_rng(seed)
    channels = shape[1]
    return rng.normal(1, 2, shape), rng.normal(size=shape), rng.uniform(0.5, 2, channels), rng.normal(size=channels)


def _agree(found: list[Array], of_rows: Callable[..., list[Array]], maps: tuple[Array, ...]) -> bool:
    """Whether what was found for maps is what the rows give in the right layout, and in no wrong one."""
    shape = maps[0].shape
    n, c, h, w = shape
    right = of_rows(*(values.transpose(0, 2, 3, 1).reshape(-1, c) for values in maps))
    expected = [right[0].reshape(n, h, w, c).transpose(0, 3, 1, 2) if right[0].size == maps[0].size else right[0]]
    expected += right[1:]
    if len(found) != len(expected) or any(one.shape != other.shape for one, other in zip(found, expected, strict=True)):
        return False
    if not all(np.abs(one - other).max() < SAME for one, other in zip(found, expected, strict=True)):
        return False
    flat = of_rows(*(values.reshape(-1, c) for values in maps))
    if any(_same(one, other) for one, other in zip([found[0].reshape(-1, c), *found[1:2]], flat, strict=False)):
        return False
    each_place = (
        _same(found[0][:, :, i, j], of_rows(*(values[:, :, i, j] for values in maps))[0]) for i, j in np.ndindex(h, w)
    )
    return not all(each_place)  # the first that differs says enough: each is two calls of the student's functions


def _same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and bool(np.abs(one - other).max() <= OTHER)
