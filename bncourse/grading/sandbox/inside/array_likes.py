"""What NumPy reads as an array in; a plain array, list or number out, or nothing where the student's class decides.

Python's and NumPy's own kinds are read as in a notebook. An object of another class with `__array__` is not: its
numbers would be found later, when nobody sees how.
"""

import array
import math
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from .dtypes import KINDS

NUMBERS = frozenset({bool, int, float, complex})
SEQUENCES = (deque, range)
MAX_ITEMS = 10_000
MAX_AXES, MAX_SIZE = 32, 1_000_000
MAX_BITS, MAX_FRACTION_BITS = 63, 1_000
"""Bits of an integer in an array of objects, and of a fraction's two parts."""
_SCALARS = frozenset(kind for kind in np.sctypeDict.values() if issubclass(kind, np.number | np.bool_))


def of_numbers(values: np.ndarray[Any, Any]) -> list[Any] | None:
    """List the values of an array of objects, where all are plain numbers; None where one is not."""
    found = [_plain_number(value) for value in values.ravel().tolist()]
    return found if all(map(_is_number, found)) else None


def array_of(shape: Any, values: Any) -> np.ndarray[Any, Any] | None:
    """Make an array of objects again; None where that is not a shape, or these are not its numbers."""
    if type(shape) is not list or type(values) is not list or not all(type(size) is int for size in shape):
        return None
    if min(shape, default=0) < 0 or len(shape) > MAX_AXES or math.prod(shape) != len(values):
        return None
    if math.prod(max(size, 1) for size in shape) > MAX_SIZE or not all(map(_is_number, values)):
        return None  # an empty one has axes too, and a sum over them
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made.reshape(shape)


def copied(value: Any) -> Any:
    """A plain array, list or number in the place of another kind of Python's or NumPy's; any other value as it is."""
    kind = type(value)
    if isinstance(value, np.ndarray) and kind is not np.ndarray and value.dtype.kind in f"{KINDS}O":
        return np.array(value, subok=False)
    if kind is array.array:
        return np.array(value) if value.typecode not in "uw" else value
    if kind in SEQUENCES and len(value) <= MAX_ITEMS:
        return list(value)
    return float(value) if _is_exact(value) else value


def poses_as_array(value: Any) -> bool:
    """Whether an object says that it is an array, or gives values one by one, and holds no plain numbers.

    >>> poses_as_array(np.ones(3)), poses_as_array([1.0]), poses_as_array(iter([1.0]))
    (False, False, True)
    """
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in KINDS and of_numbers(np.asarray(value)) is None
    if isinstance(value, Iterator):
        return True
    known = isinstance(value, np.generic | type) or type(value).__module__.split(".")[0] == "torch"
    return not known and hasattr(type(value), "__array__")


def _plain_number(value: Any) -> Any:
    """One of Python's own numbers in the place of NumPy's, a fraction or a decimal."""
    if type(value) in _SCALARS:
        return value.item()
    return float(value) if _is_exact(value) else value


def _is_exact(value: Any) -> bool:
    """Whether it is a fraction or a decimal that is a number for NumPy, too."""
    if type(value) is Fraction:
        return max(value.numerator.bit_length(), value.denominator.bit_length()) < MAX_FRACTION_BITS
    return type(value) is Decimal and not value.is_snan()


def _is_number(value: Any) -> bool:
    return type(value) in NUMBERS and (type(value) is not int or value.bit_length() <= MAX_BITS)
