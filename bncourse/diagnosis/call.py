"""Calling a student's functions, and reading what comes back, whatever it is.

Everything that can be wrong before any number is compared is found here: errors, arguments changed in place, results of
another structure, shape, type or length. Harmless oddities become notes.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.report import Finding, finding
from bncourse.numpy_bn.functional import Stages

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]

GRADIENTS = ("dx", "dgamma", "dbeta")


class Slip(Exception):
    """Leaves a reading at the first thing that makes further reading pointless."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.message)
        self.finding = found


class EngineError(Exception):
    """Something failed on our side of a call: nothing is said of the student's function then."""


class Value(NamedTuple):
    """An array as it came back: in float64 for comparisons, and the dtype that it had."""

    array: Array
    dtype: Any


def call(function: Any, part: str, *arguments: Any, dy: bool = False, **options: Any) -> Any:
    """Call a student's function on copies, in silence.

    Raises
    ------
    Slip
        If it raises, returns None, or changes an argument in place.
    """
    if not callable(function):
        raise Slip(replace(finding("raised", part, lead="There is no function to call here."), experiment=""))
    away = getattr(function, "mutated_arguments", None) is not None  # it runs elsewhere, on copies of its own
    copies = [a.copy() if isinstance(a, np.ndarray) and not away else a for a in arguments]
    try:
        with np.errstate(all="ignore"):
            result = function(*copies, **options)
    except EngineError:
        raise
    except Exception as error:
        raise Slip(_raised(error, part)) from error
    changed = bool(getattr(function, "mutated_arguments", None)) or any(
        isinstance(before, np.ndarray) and before is not after and not np.array_equal(before, after)
        for before, after in zip(arguments, copies, strict=True)
    )
    if changed:
        raise Slip(finding("dy-changed" if dy else "input-changed", part))
    if result is None:
        raise Slip(finding("nothing-returned", part))
    return result


def _raised(error: Exception, part: str) -> Finding:
    """The finding for an exception; its type and first line come first."""
    first = next(iter(str(error).splitlines()), "")
    lead = (
        f"Your function raised {type(error).__name__}: {first}"
        if first
        else (f"Your function raised {type(error).__name__}.")
    )
    an_arrays = isinstance(getattr(error, "obj", None), np.ndarray | np.generic | ModuleType)  # no entry of a cache
    packed = isinstance(error, (ValueError, KeyError, AttributeError)) and part in GRADIENTS and not an_arrays
    if packed and ("unpack" in first or isinstance(error, (KeyError, AttributeError))):
        return replace(finding("cache-order", part, lead=lead, shown_as="error"), cause=error)
    return replace(finding("raised", part, lead=lead), cause=error)


def as_array(value: Any, part: str) -> Value:
    """Read real floating-point numbers; lists and tuples of numbers will do.

    Raises
    ------
    Slip
        If there are none.
    """
    if value is None:
        raise Slip(finding("nothing-returned", part))
    if type(value) in (list, tuple) and any(one is None for one in value):
        remark = f"{part} holds None in one of its places."
        raise Slip(finding("wrong-structure", part, remark=remark, shown_as="type"))
    try:
        array = np.asarray(value)
    except Exception as error:
        raise Slip(finding("wrong-structure", part, shown_as="error")) from error
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in (np.float32, np.float64, np.longdouble):
        raise Slip(finding("wrong-dtype", part, remark=f"{part} came back as {str(array.dtype)[:40]}."))
    return Value(np.asarray(array, dtype=np.float64), np.float32 if array.dtype == np.float32 else np.float64)


def like(value: Any, x: Array, part: str, notes: list[str]) -> Value:
    """Read an array that must have the shape of x.

    Raises
    ------
    Slip
        If its shape, type or values cannot be right.
    """
    read = as_array(value, part)
    shape = read.array.shape
    if shape != x.shape:
        remark = f"{part} came back with shape {shape}; expected is {x.shape}."
        raise Slip(finding(_belief_of_shape(shape, x.shape), part, remark=remark))
    return _finite(read, part, notes)


def _belief_of_shape(shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Name the belief behind a shape that is not that of x."""
    if len(shape) != len(expected) or sorted(shape) != sorted(expected):
        return "wrong-shape"
    if len(shape) == 2:
        return "transposed"
    if shape[:2] == expected[:2]:
        return "conv-rows-columns"
    return "conv-axes-not-restored"


def per_channel(value: Any, x: Array, part: str, notes: list[str], *, gradient: bool = True) -> Value:
    """Read one number for each channel; (1, C) and the like are let pass with a note.

    Raises
    ------
    Slip
        If its shape, type or values cannot be right.
    """
    read = as_array(value, part)
    shape, channels = read.array.shape, x.shape[1]
    if shape == (channels,):
        return _finite(read, part, notes)
    if read.array.size == channels:
        notes.append(f"{part} has shape {shape}; expected is ({channels},), which broadcasts the same way.")
        return _finite(Value(read.array.reshape(channels), read.dtype), part, notes)
    belief = "wrong-shape"
    if gradient and read.array.size == 1:
        belief = "parameter-gradient-total-sum"
    elif gradient and shape in ((x.shape[0],), (x.shape[0], 1)):
        belief = "parameter-gradient-wrong-axis"
    elif gradient and shape == x.shape:
        belief = "parameter-gradient-not-summed"
    raise Slip(finding(belief, part, remark=f"{part} came back with shape {shape}; expected is ({channels},)."))


def _finite(read: Value, part: str, notes: list[str]) -> Value:
    """Refuse NaN and infinity; note single precision."""
    if not np.isfinite(read.array).all():
        raise Slip(finding("not-finite", part))
    if read.dtype == np.float32:
        notes.append(f"{part} came back in float32 for a float64 input, which loses half of the digits.")
    return read


def pair(result: Any, part: str) -> tuple[Any, Any]:
    """Read (y, cache).

    Raises
    ------
    Slip
        If the result is not a pair.
    """
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Slip(finding("wrong-structure", part, remark=f"A pair was expected; {_described(result)} came back."))
    return result[0], result[1]


def gradients(result: Any, part: str, notes: list[str]) -> dict[str, Any]:
    """Read dx, dgamma and dbeta from a tuple, a list, a named tuple or a mapping; only their number is checked.

    Raises
    ------
    Slip
        If there are not three.
    """
    if isinstance(result, Mapping):
        if all(name in result for name in GRADIENTS):
            if len(result) > len(GRADIENTS):
                notes.append("The gradients hold more than dx, dgamma and dbeta; the rest was not looked at.")
            return {name: result[name] for name in GRADIENTS}
    elif isinstance(result, (tuple, list)) and len(result) == len(GRADIENTS):
        fields = getattr(result, "_fields", GRADIENTS)
        if sorted(fields) == sorted(GRADIENTS):
            return dict(zip(fields, result, strict=True))
        return dict(zip(GRADIENTS, result, strict=True))
    remark = f"Three gradients were expected; {_described(result)} came back."
    raise Slip(finding("wrong-structure", part, remark=remark, shown_as="names" if isinstance(result, Mapping) else ""))


def _described(result: Any) -> str:
    """What came back, by kind and length."""
    if isinstance(result, (tuple, list, Mapping)):
        return f"a {kind_of(result)} of {len(result)}"
    return "an array" if isinstance(result, np.ndarray) else f"a {kind_of(result)}"


def kind_of(result: Any) -> str:
    """Say of what kind a result is; what stands for an object in another process has the name of that one's class.

    >>> kind_of({}.values()), kind_of(print), kind_of([1])
    ('dict_values', 'function', 'list')
    """
    plain = next((kind for kind in (tuple, list, dict) if isinstance(result, kind)), None)
    if plain is not None and not hasattr(result, "_fields"):
        return plain.__name__
    own = getattr(result, "__dict__", {}).get("__name__", type(result).__name__)
    return "function" if callable(result) else str(own)[:40]


def stages(result: Any) -> dict[str, Any]:
    """Read the named intermediate gradients.

    Raises
    ------
    Slip
        If names are missing.
    """
    names = Stages._fields
    if isinstance(result, Mapping):
        named = dict(result)
    elif hasattr(result, "_fields"):
        named = dict(zip(result._fields, result, strict=True))
    elif isinstance(result, (tuple, list)) and len(result) == len(names):
        named = dict(zip(names, result, strict=True))
    else:
        raise Slip(finding("stages-unnamed"))
    missing = [name for name in names if name not in named]
    if missing:
        raise Slip(finding("stages-unnamed", remark=f"The stage {missing[0]} is missing."))
    return named
