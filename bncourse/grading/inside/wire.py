"""What crosses the border between the two compartments: bytes with dtype and shape, numbers, strings, None.

The file is used on both sides. The worker gets it as a file of its own, so it imports the standard library
and NumPy alone, and nothing of this package. Nothing is unpickled on the trusted side: a value is a tag and
plain bytes, and every length is checked against what has arrived before anything is allocated.
"""

import math
import pickle
import struct
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from .forms import Handle, Parts, Pickled, Tensor

MAX_FRAME = 64 * 2**20
"""Bytes in one message; a result of 10^9 elements is refused before it is stored."""
MAX_DEPTH = 32
MAX_NODES = 200_000
MAX_INT_BYTES = 4096
MAX_AXES = 32
KINDS = "biufcUS"

_SIZE = struct.Struct("<I")
_FLOAT = struct.Struct("<d")
_COMPLEX = struct.Struct("<dd")


class WireError(Exception):
    """What arrived, or what should be sent, does not keep to the border's rules."""


def refuse(value: Any) -> Any:
    """Refuse a value that is not plain."""
    raise WireError(f"a value of type {type(value).__name__} cannot cross")


class Encoder:
    """Turns a value into bytes.

    `other` is given a value that is not plain, and returns a plain value, Handle, Parts, Tensor or Pickled in its
    place, or raises WireError.
    """

    def __init__(self, other: Callable[[Any], Any] | None = None) -> None:
        self.other = other or refuse
        self.pieces: list[Any] = []
        self.size = 0
        self.nodes = 0

    def encode(self, value: Any) -> bytes:
        """Encode one message."""
        self.pieces, self.size, self.nodes = [], 0, 0
        self._value(value, 0)
        return b"".join(self.pieces)

    def _put(self, piece: Any) -> None:
        self.size += len(piece)
        if self.size > MAX_FRAME:
            raise WireError(f"the value is larger than {MAX_FRAME >> 20} MiB")
        self.pieces.append(piece)

    def _bytes(self, tag: bytes, data: bytes) -> None:
        self._put(tag + _SIZE.pack(min(len(data), 2**32 - 1)))
        self._put(data)

    def _many(self, tag: bytes, values: Any, depth: int) -> None:
        self._put(tag + _SIZE.pack(min(len(values), 2**32 - 1)))
        depth += 1
        for value in values:
            self._value(value, depth)

    def _value(self, value: Any, depth: int) -> None:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise WireError("the value is nested too deeply or has too many parts")
        kind = type(value)
        if kind is np.ndarray:
            if value.dtype.kind in KINDS and value.dtype.names is None:
                self._array(b"a", value)
            else:
                self._other(value, depth)
        elif kind in _SCALARS:
            self._put(_SCALARS[kind](value))
        elif kind in _SEQUENCES:
            self._many(_SEQUENCES[kind], value, depth)
        elif kind is dict:
            self._many(b"d", [part for pair in list(value.items()) for part in pair], depth)
        elif kind is str:
            self._bytes(b"s", value.encode("utf-8", "surrogatepass"))
        elif kind is bytes:
            self._bytes(b"b", value)
        elif isinstance(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind in KINDS:
            self._array(b"na", np.asarray(value))
        elif kind in _FIELDS:
            tag, names = _FIELDS[kind]
            self._many(tag, [getattr(value, name) for name in names], depth)
        elif kind is set:
            self._many(b"S", list(value), depth)
        elif isinstance(value, np.dtype) and value.kind in KINDS:
            self._bytes(b"y", value.str.encode())
        elif kind is Pickled:
            self._bytes(b"p", value.data)
        else:
            self._other(value, depth)

    def _other(self, value: Any, depth: int) -> None:
        self._value(self.other(value), depth + 1)

    def _array(self, tag: bytes, array: Any) -> None:
        if array.nbytes > MAX_FRAME:
            raise WireError(f"the array of shape {array.shape} is larger than {MAX_FRAME >> 20} MiB")
        name = array.dtype.str.encode()
        sizes = struct.pack(f"<{array.ndim}Q", *array.shape)
        self._put(b"%b%c%c%b%b" % (tag, len(name), array.ndim, name, sizes))
        self._put(array.tobytes())


def _integer(value: int) -> bytes:
    if value.bit_length() > 8 * (MAX_INT_BYTES - 1):
        raise WireError("the integer has too many digits")
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"i" + _SIZE.pack(len(data)) + data


_SCALARS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"N",
    bool: lambda value: b"T" if value else b"F",
    int: _integer,
    float: lambda value: b"f" + _FLOAT.pack(value),
    complex: lambda value: b"c" + _COMPLEX.pack(value.real, value.imag),
    type(Ellipsis): lambda value: b"E",
}
_SEQUENCES: dict[type, bytes] = {tuple: b"t", list: b"l"}
_FIELDS: dict[type, tuple[bytes, tuple[str, ...]]] = {
    slice: (b"L", ("start", "stop", "step")),
    Handle: (b"h", ("number", "kind", "name")),
    Parts: (b"k", ("number", "name", "fields", "values")),
    Tensor: (b"x", ("number", "dtype", "wants_grad", "array", "grad")),
}


class Decoder:
    """Turns bytes into a value; the methods say what becomes of what is not plain."""

    trusted = False
    """Whether the other side may send a pickle: only the worker, which has nothing to lose, says yes."""

    def decode(self, data: bytes) -> Any:
        """Decode one message; any breach of the rules raises WireError."""
        self.data, self.at, self.nodes = data, 0, 0
        try:
            value = self._value(0)
        except WireError:
            raise
        except Exception as error:
            raise WireError(f"malformed message ({type(error).__name__})") from None
        if self.at != len(data):
            raise WireError("malformed message (bytes left over)")
        return value

    def handle(self, number: int, kind: str, name: str) -> Any:
        """Return what stands for a handle on this side."""
        return Handle(number, kind, name)

    def parts(self, number: int, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
        """Return a named tuple with these fields."""
        return tuple.__new__(_named_tuple(name, fields), values)

    def tensor(self, number: int, dtype: str, wants_grad: bool, array: Any, grad: Any) -> Any:
        """Return a tensor."""
        return array

    def _take(self, count: int) -> bytes:
        at = self.at
        if count < 0 or count > len(self.data) - at:
            raise WireError("malformed message (too short)")
        self.at = at + count
        return self.data[at : at + count]

    def _count(self) -> int:
        (count,) = _SIZE.unpack_from(self.data, self.at)
        self.at += 4
        return int(count)

    def _value(self, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH + 2 or self.nodes > 2 * MAX_NODES:
            raise WireError("the value is nested too deeply or has too many parts")
        tag = self.data[self.at : self.at + 1]
        self.at += 1
        if tag == b"a":
            return self._array()
        if tag == b"f":
            (number,) = _FLOAT.unpack_from(self.data, self.at)
            self.at += 8
            return number
        if tag in b"tldShkxL" and tag:
            count = self._count()
            if count > len(self.data) - self.at:
                raise WireError("malformed message (too short)")
            depth += 1
            return self._compound(tag, [self._value(depth) for _ in range(count)])
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        return self._rare(tag)

    def _rare(self, tag: bytes) -> Any:
        if tag == b"c":
            return complex(*_COMPLEX.unpack(self._take(16)))
        if tag == b"n" and self._take(1) == b"a":
            return self._array()[()]
        data = self._take(self._count())
        if tag == b"s":
            return data.decode("utf-8", "surrogatepass")
        if tag == b"i" and len(data) <= MAX_INT_BYTES:
            return int.from_bytes(data, "little", signed=True)
        if tag == b"b":
            return data
        if tag == b"y":
            return _dtype(data)
        if tag == b"p" and self.trusted:
            return pickle.loads(data)  # noqa: S301  (in the worker alone, from the trusted side)
        raise WireError("malformed message (a pickle, or an unknown tag)")

    def _compound(self, tag: bytes, values: list[Any]) -> Any:
        if tag == b"t":
            return tuple(values)
        if tag == b"l":
            return values
        if tag == b"S":
            return set(values)
        if tag == b"d":
            return dict(zip(values[::2], values[1::2], strict=True))
        if tag == b"L":
            return slice(*values)
        if tag == b"h" and [type(v) for v in values] == [int, str, str]:
            return self.handle(*values)
        if tag == b"k" and [type(v) for v in values] == [int, str, tuple, tuple] and len(values[2]) == len(values[3]):
            return self.parts(*values)
        if tag == b"x" and [type(v) for v in values[:4]] == [int, str, bool, np.ndarray] and _is_grad(values[4:]):
            return self.tensor(*values)
        raise WireError("malformed message (unknown tag)")

    def _array(self) -> Any:
        data, at = self.data, self.at
        start = at + 2 + data[at]
        dtype = _DTYPES.get(data[at + 2 : start]) or _dtype(data[at + 2 : start])
        ndim = data[at + 1]
        if ndim > MAX_AXES:
            raise WireError("malformed message (too many axes)")
        shape = struct.unpack_from(f"<{ndim}Q", data, start)
        start += 8 * ndim
        size = math.prod(shape) * dtype.itemsize
        if size > len(data) - start:
            raise WireError("malformed message (too short)")
        self.at = start + size
        return np.ndarray(shape, dtype, data, start).copy() if size else np.empty(shape, dtype)


def _is_grad(values: list[Any]) -> bool:
    return len(values) == 1 and (values[0] is None or values[0] is False or type(values[0]) is np.ndarray)


_CONSTANTS: dict[bytes, Any] = {b"N": None, b"T": True, b"F": False, b"E": Ellipsis}


def _dtype(name: bytes) -> Any:
    text = name.decode("ascii")
    if len(text) > 12 or text[:1] not in "<>|=" or text[1:2] not in KINDS or not text[2:].isdigit():
        raise WireError("malformed message (dtype)")
    return np.dtype(text)


_DTYPES = {name: np.dtype(name.decode()) for name in (b"<f8", b"<f4", b"<i8", b"|b1", b"<c16")}


def _named_tuple(name: str, fields: tuple[str, ...]) -> Any:
    if len(fields) > 256 or not all(type(field) is str and len(field) < 100 for field in fields):
        raise WireError("malformed message (fields)")
    plain = name if name.isidentifier() and len(name) < 100 else "Parts"
    return namedtuple(plain, fields, rename=True)
