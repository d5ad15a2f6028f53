"""The types in which a value crosses the border that is not plain, and the error for what may not cross."""

from collections import namedtuple
from typing import Any

MAX_FRAME = 64 * 2**20
"""Bytes in one message; a result of 10^9 elements is refused before it is stored."""


class WireError(Exception):
    """What arrived, or what should be sent, does not keep to the border's rules."""


class Handle:
    """A value that stays where it is and is known by a number."""

    __slots__ = ("kind", "name", "number")

    def __init__(self, number: int, kind: str, name: str) -> None:
        self.number, self.kind, self.name = number, kind, name


class Parts:
    """A named tuple on its way: the handle of its class (0: none), its name, field names and values."""

    __slots__ = ("fields", "name", "number", "values")

    def __init__(self, number: int, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> None:
        self.number, self.name, self.fields, self.values = number, name, fields, values


class Tensor:
    """A tensor on its way: the handle of the original (0: none), dtype, whether it wants gradients, values, gradient.

    The gradient is an array or None for a leaf, and False for what was computed.
    """

    __slots__ = ("array", "dtype", "grad", "number", "wants_grad")

    def __init__(self, number: int, dtype: str, wants_grad: bool, array: Any, grad: Any) -> None:
        self.number, self.dtype, self.wants_grad, self.array, self.grad = number, dtype, wants_grad, array, grad


class Pickled:
    """Something harmless from the trusted side (a random generator); accepted by the worker alone."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


def named_tuple(name: str, fields: tuple[str, ...]) -> Any:
    """A class of named tuples with these fields, made from what the other side has said of one."""
    if len(fields) > 256 or not all(type(field) is str and len(field) < 100 for field in fields):
        raise WireError("malformed message (fields)")
    plain = name if name.isidentifier() and len(name) < 100 else "Parts"
    return namedtuple(plain, fields, rename=True)
