"""An array or a list that a function holds in; whether it is an input of the function but for a nudge, out.

The order of the entries does not matter to a measurement, nor does a constant that is added to each channel, so an
array is compared also when it is flat or transposed, and up to such constants. One column may be nudged alone, as an
array or as a list. And the nudge itself may be what is held: zeros, but for one small number. An array that is made
of an input, such as three times the input, is compared with itself, as it was before.
"""

import contextlib
import math
from array import array as array_of_numbers
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

FEW_MOVED, ALL_MOVED, ROUNDING = 0.2, 1e-2, 1e-12
"""How far an input is nudged, in units of its largest entry, where few of its entries are moved, or all."""
MAX_VALUES = 200_000
VARIED = 4
"""So many different entries has an input that is known by them."""
FIRST = 1_000
"""Entries of an input that are counted for that."""
MANY_CHANNELS = 32
"""Columns of an input that are looked for one by one."""
FEW_PARTS = 8
"""Parts of an array that are looked at."""
STACKED = 4
"""Parts of a large array that are inputs with all entries nudged; then it is a stack of them."""
BEGINS = 4
"""Entries of an array that tell most others from an input."""
LISTS = (list, tuple, deque, array_of_numbers)
NUMBERS = (float, int, np.float64, np.float32, np.longdouble, Fraction, Decimal)
"""Types of numbers in lists; to turn another type into a number may run the student's code."""
STEPS = (1e-12, 1e-2)
"""How large a step is, in units of the input's largest entry."""
NARROW = 1e-4
"""A step that is larger is a round number, or it is taken for a gradient's part."""


class Given:
    """An input of the function; what only few arrays need to be compared with is worked out when it is asked for.

    Parameters
    ----------
    values : ndarray
        The input, in double precision.
    """

    def __init__(self, values: Any) -> None:
        self.values = values
        self.size = float(max(values.max(), -values.min()))
        """Its largest entry."""
        self.begins: list[float] = values.ravel()[:BEGINS].tolist()
        """Its first entries."""
        self._varies: bool | None = None
        self._column: list[float] | None = None

    @property
    def varies(self) -> bool:
        """Whether it has so many different entries that it is known by them."""
        if self._varies is None:
            self._varies = varies(self.values)
        return self._varies

    @property
    def column(self) -> list[float]:
        """Its first column."""
        if self._column is None:
            self._column = first_column(self.values)
        return self._column


def varies(values: Any) -> bool:
    """Whether an array has so many different entries that it is known by them."""
    return len(set(values.ravel()[:FIRST].tolist())) >= VARIED


def first_column(array: Any) -> list[float]:
    """The entries of an array's first column, or the only ones."""
    column: list[float] = (array if array.ndim == 1 else array[(slice(None), *[0] * (array.ndim - 1))]).tolist()
    return column


class Moved(NamedTuple):
    """An input of which few entries are moved."""

    kind: tuple[Any, ...]
    """Which input, or which column of it, and in which form; of a step, also how large it is."""
    mask: int
    """The moved entries, as bits."""


def is_near(array: Any, given: Given) -> bool:
    """Whether an array is what was given but for a nudge, entry by entry."""
    if array.shape != given.values.shape:
        return False
    far = FEW_MOVED * given.size
    for place, value in enumerate(given.begins):
        if abs(array.item(place) - value) > far:
            return False
    moved = np.abs(array - given.values)
    most = float(moved.max())
    if most <= ROUNDING * given.size:
        return False
    few = 2 * np.count_nonzero(moved > ROUNDING * given.size) <= moved.size
    return most <= (FEW_MOVED if few else ALL_MOVED) * given.size


def holds_many(array: Any, given: Given) -> bool:
    """Whether a large array holds what was given many times, with some entries nudged, or all of them."""
    if is_stack_of_near(array, given):
        return True
    if not given.varies:
        return False
    with np.errstate(all="ignore"):  # a wider number may be too large, or none
        values = np.asarray(array, dtype=np.float64).ravel()
    same = np.isin(values, given.values.ravel())
    rest = values[~same & (values != 0)]  # what is set to zero is left out, not nudged
    if not len(rest) or same.mean() < 0.4:
        return False
    places = np.sort(given.values.ravel())
    after = np.clip(np.searchsorted(places, rest), 1, len(places) - 1)
    distance = np.minimum(np.abs(places[after] - rest), np.abs(places[after - 1] - rest))
    return bool((distance <= ALL_MOVED * given.size).all() and (distance > 0).any())


def is_stack_of_near(array: Any, given: Given) -> bool:
    """Whether the first parts of an array are what was given with all entries nudged, each in another way."""
    shape = given.values.shape
    if array.size < STACKED * given.values.size or abs(array.item(0) - given.begins[0]) > ALL_MOVED * given.size:
        return False
    if array.shape[1:] == shape:
        parts = array[:STACKED]
    elif array.ndim > 1 and len(shape) == 2 and len(array) == shape[0] and array.shape[-1] % shape[1] == 0:
        parts = np.moveaxis(array.reshape(shape[0], -1, shape[1]), 1, 0)[:STACKED]
    else:
        return False
    return all(is_near(part, given) for part in parts) and len({part.tobytes() for part in parts}) == STACKED


class Before(NamedTuple):
    """What stood somewhere, in a copy, and its largest entry."""

    values: Any
    size: float


def moved_since(array: Any, before: Before) -> int | None:
    """Which entries of an array are a little other than before, as bits; None where too many are, or one is far."""
    far = ALL_MOVED * before.size
    if array.shape != before.values.shape or abs(array.item(-1) - before.values.item(-1)) > far:
        return None
    moved = np.abs(array - before.values)
    places = moved > ROUNDING * before.size
    if float(moved.max()) > far or 2 * np.count_nonzero(places) > places.size:
        return None
    return _bits(places) if places.any() else 0


def moved_in(array: Any, given: Given) -> Iterator[Moved]:
    """The ways in which an array is what was given with few entries moved; for each, which entries."""
    for form, like in _forms(array, given.values) if given.varies and array.size == given.values.size else ():
        if _is_another(first_column(like), given):
            continue
        places, many = _compared(like - given.values, given.size)
        if places.any() and not many.any() and like[places].all():  # what is set to zero is left out, not nudged
            yield Moved((form,), _bits(places))
    if array.ndim == 1 and given.varies and given.values.ndim > 1 and array.shape == given.values.shape[:1]:
        columns = given.values.reshape(len(array), -1)[:, :MANY_CHANNELS]
        places, many = _compared(array[:, None] - columns, given.size)
        left_out = (places & (array == 0)[:, None]).any(axis=0)
        for number in np.flatnonzero(places.any(axis=0) & ~many & ~left_out):
            yield Moved(("column", int(number)), _bits(places[:, number]))
    if array.size in (given.values.size, len(given.values)) and 0 < 2 * np.count_nonzero(array) <= array.size:
        yield from _step(array[array != 0], array, given.size)


def may_hold_parts(shape: tuple[int, ...], given: tuple[int, ...]) -> bool:
    """Whether an array of one shape may hold several inputs of another, or several columns of one."""
    return shape[1:] == given or (len(shape) == 2 and shape != given and given[0] in shape)


def parts_like(array: Any, given: Given) -> Iterator[Any]:
    """The first parts of an array that holds several inputs, or several columns of one."""
    shape = given.values.shape
    if array.shape[1:] == shape:
        yield from array[:FEW_PARTS]
    elif array.ndim == 2 and array.shape != shape:
        if array.shape[1] == shape[0]:
            yield from array[:FEW_PARTS]
        if array.shape[0] == shape[0]:
            yield from array.T[:FEW_PARTS]


def is_all_steps(array: Any, given: Given, counts: set[int]) -> bool:
    """Whether an array holds the step of every entry: a unit matrix times a small number, which is no share."""
    if array.size != given.values.size**2 or np.count_nonzero(array) != given.values.size:
        return False
    rows = array.reshape(given.values.size, -1)
    steps = rows.max(axis=1)
    apart = len(set(rows.argmax(axis=1).tolist())) == len(rows)
    if is_share(float(steps[0]), counts):
        return False
    return apart and bool((steps == steps[0]).all() and STEPS[0] * given.size < steps[0] <= STEPS[1] * given.size)


def as_array(rows: Any) -> Any:
    """A list of numbers, or of rows of numbers, as an array; None where it is none, or holds anything else."""
    kinds = set(map(type, rows))
    nested = kinds & {*LISTS, np.ndarray}
    parts = [r.tolist() if type(r) is np.ndarray else r for r in rows] if nested else [rows]
    if not all(type(part) in LISTS and all(type(value) in NUMBERS for value in part) for part in parts):
        return None
    with contextlib.suppress(Exception):  # rows of several lengths, numbers that are too large
        array = np.array(rows, dtype=np.float64)
        return array if 4 <= array.size <= MAX_VALUES else None
    return None


def _forms(array: Any, given: Any) -> Iterator[tuple[str, Any]]:
    """An array in the forms in which its entries may stand in the order of the given ones."""
    shape = given.shape
    if array.shape == shape:
        yield "same", array
        return
    yield "reshaped", array.reshape(shape)
    if len(shape) > 1:
        yield "channels first", np.moveaxis(array.reshape(shape[1], shape[0], *shape[2:]), 0, 1)
    if len(shape) > 2:
        yield "channels last", np.moveaxis(array.reshape(shape[0], *shape[2:], shape[1]), -1, 1)


def _is_another(column: list[float], given: Given) -> bool:
    """Whether many entries of a first column are moved, as `_compared` says it; most arrays are told by it."""
    moved = [value - was for value, was in zip(column, given.column, strict=True)]
    middle, least = sorted(moved)[len(moved) // 2], ROUNDING * given.size
    return 2 * sum(abs(value - middle) > least for value in moved) >= len(moved)


def _compared(difference: Any, size: float) -> tuple[Any, Any]:
    """Which entries are moved, but for what is added to most of a column; in which columns many are, or one is far."""
    moved = np.abs(difference - np.sort(difference, axis=0)[len(difference) // 2])
    places = moved > ROUNDING * size
    return places, (moved.max(axis=0) > FEW_MOVED * size) | (2 * np.count_nonzero(places, axis=0) >= len(places))


def _bits(places: Any) -> int:
    return int.from_bytes(np.packbits(places).tobytes(), "big")


def _step(others: Any, array: Any, size: float) -> Iterator[Moved]:
    """The entries of an array that is zero but for one small number at few places, where the others stand."""
    steps = np.abs(others)
    least, most = float(steps.min()), float(steps.max())
    if least == most and STEPS[0] * size < most <= STEPS[1] * size and _may_be_chosen(most, size):
        yield Moved(("step", most), _bits(array != 0))


def _may_be_chosen(step: float, size: float) -> bool:
    """Whether a step is so small, or such a round number, that it was chosen."""
    is_power_of_two = math.frexp(step)[0] == 0.5
    return step <= NARROW * min(size, 1.0) or is_power_of_two or math.isclose(step, float(f"{step:.1e}"))


def is_share(step: float, counts: set[int]) -> bool:
    """Whether a number is a sample's share in a mean: one or two over a count, or over the product of two counts."""
    shares = (share / (a * b) for share in (1, 2) for a in counts | {1} for b in counts | {1})
    return step > NARROW and any(math.isclose(step, share) for share in shares)
