"""Values in, bytes out, and back: arrays with dtype and shape, numbers, strings, None, and nothing else.

The file is used on both sides. The worker gets it as a file of its own, so it imports the standard library, NumPy and
MessagePack alone, and nothing of this package. Nothing is unpickled on the trusted side: a value is plain bytes in
MessagePack, and every length is checked against what has arrived before anything is allocated.

A message is one byte (1: the whole is a tuple), four bytes with the head's length, the head in MessagePack, and the
contents of arrays, one after the other. What MessagePack does not know is one of its extensions, by the codes below.
"""

import math
import pickle
import struct
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

from .array_likes import array_of, of_numbers
from .dtypes import KINDS, NAMES, USUAL, dtype_of
from .text_room import check_texts
from .wire_types import MAX_FRAME, Handle, Parts, Pickled, Tensor, WireError, named_tuple

MAX_HEAD = 4 * 2**20
"""Bytes of it that are not in arrays."""
MAX_DEPTH = 32
MAX_NODES = 200_000
MAX_HASHED = 5_000
"""Values in sets, and keys of dictionaries, in a message: all may have the same hash, so that to make them takes the
square of the time, and nothing ends it. Plain keys are not counted, as nobody can choose many of one hash."""
PLAIN_KEYS = frozenset({str, bytes, int, float, bool, type(None)})
"""Types of these, as MessagePack has them: an integer of its own has 64 bits at most."""
FEW_KEYS = 32
"""In a dictionary of so many no key is counted."""
MAX_INT_BYTES = 4096
MAX_AXES = 32
SMALL_HEAD = 4096
"""A head of so many bytes holds no texts that could become more than that."""

ARRAY, SCALAR, TUPLE, SET, SLICE, COMPLEX, INTEGER, ELLIPSIS, DTYPE, PICKLE, HANDLE, PARTS, TENSOR = range(1, 14)
OBJECTS = 14
"""An array of Python's numbers, as objects."""

_PREFIX = struct.Struct("<BI")
_COMPLEX = struct.Struct("<dd")
_PLACE = struct.Struct("<BBQ")
_AXES = [struct.Struct(f"<{ndim}Q") for ndim in range(MAX_AXES + 1)]
_OPTIONS: dict[str, Any] = {"raw": False, "strict_map_key": False, "unicode_errors": "surrogatepass"}


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
        self._packers = [self._packer()]
        self._reset()

    def encode(self, value: Any) -> bytes:
        """Encode one message."""
        self._reset()
        whole = type(value) is tuple
        try:
            head = self._packers[0].pack(list(value) if whole else value)
        except (ValueError, OverflowError) as error:
            self._packers = [self._packer()]
            raise WireError("the value is nested too deeply or has too many parts") from error
        if len(head) > MAX_HEAD:
            raise WireError(f"the value has too many parts (more than {MAX_HEAD >> 20} MiB)")
        return b"".join([_PREFIX.pack(whole, len(head)), head, *self._arrays])

    def _reset(self) -> None:
        self._arrays: list[bytes] = []
        self._size = self._nodes = self._depth = 0

    def _packer(self) -> Any:
        return msgpack.Packer(default=self._special, strict_types=True, unicode_errors="surrogatepass")

    def _special(self, value: Any) -> Any:
        """Say how a value goes that MessagePack does not know."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise WireError("the value is nested too deeply or has too many parts")
        kind = type(value)
        if kind is np.ndarray:
            if value.dtype.kind in KINDS and value.dtype.names is None:
                return self._array(ARRAY, value)
            numbers = of_numbers(value) if value.dtype.kind == "O" else None
            if numbers is not None:
                return _extension(OBJECTS, self._nested([list(value.shape), numbers]))
        elif kind is tuple:
            return _extension(TUPLE, self._nested(list(value)))
        elif isinstance(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind in KINDS:
            return self._array(SCALAR, np.asarray(value))
        elif kind in _CODES:
            code, parts = _CODES[kind]
            return _extension(code, self._nested(parts(value)))
        elif kind in _PACKED:
            code, data = _PACKED[kind]
            return _extension(code, data(value))
        elif isinstance(value, np.dtype) and value.kind in KINDS:
            return _extension(DTYPE, value.str.encode())
        made = self.other(value)
        return made if type(made) in _NATIVE else self._special(made)

    def _nested(self, values: list[Any]) -> bytes:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise WireError("the value is nested too deeply or has too many parts")
        if len(self._packers) == self._depth:
            self._packers.append(self._packer())
        data: bytes = self._packers[self._depth].pack(values)
        self._depth -= 1
        return data

    def _array(self, code: int, array: Any) -> Any:
        self._size += array.nbytes
        if self._size > MAX_FRAME:
            raise WireError(f"the value is larger than {MAX_FRAME >> 20} MiB")
        name, shape = NAMES.get(array.dtype) or array.dtype.str.encode(), array.shape
        if len(shape) > MAX_AXES:
            raise WireError(f"the value has more than {MAX_AXES} axes")
        data = array.tobytes()
        self._arrays.append(data)
        place = _PLACE.pack(len(name), len(shape), self._size - len(data)) + name + _AXES[len(shape)].pack(*shape)
        return _extension(code, place)


def _extension(code: int, data: bytes) -> Any:
    """One of MessagePack's extensions; what its own class would check of the arguments is known."""
    return tuple.__new__(msgpack.ExtType, (code, data))


def _integer(value: int) -> bytes:
    if value.bit_length() > 8 * (MAX_INT_BYTES - 1):
        raise WireError("the integer has too many digits")
    return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)


_NATIVE = frozenset({type(None), bool, int, float, str, bytes, list, dict})
_CODES: dict[type, tuple[int, Callable[[Any], list[Any]]]] = {
    set: (SET, list),
    slice: (SLICE, lambda v: [v.start, v.stop, v.step]),
    Handle: (HANDLE, lambda v: [v.number, v.kind, v.name]),
    Parts: (PARTS, lambda v: [v.number, v.name, list(v.fields), list(v.values)]),
    Tensor: (TENSOR, lambda v: [v.number, v.dtype, v.wants_grad, v.array, v.grad]),
}
_PACKED: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    complex: (COMPLEX, lambda v: _COMPLEX.pack(v.real, v.imag)),
    int: (INTEGER, _integer),
    type(Ellipsis): (ELLIPSIS, lambda v: b""),
    Pickled: (PICKLE, lambda v: bytes(v.data)),
}


class Decoder:
    """Turns bytes into a value; the methods say what becomes of what is not plain."""

    trusted = False
    """Whether the other side may send a pickle: only the worker, which has nothing to lose, says yes."""

    def decode(self, data: bytes) -> Any:
        """Decode one message; any breach of the rules raises WireError."""
        self._nodes = self._depth = self._taken = self._hashed = 0
        try:
            whole, size = _PREFIX.unpack_from(data)
            self._data, self._start = data, _PREFIX.size + size
            if size > MAX_HEAD or self._start > len(data) or whole > 1:
                raise WireError("malformed message (length)")
            value = self._unpacked(memoryview(data)[_PREFIX.size : self._start])
            if whole and type(value) is not list:
                raise WireError("malformed message (no tuple)")
            if size > SMALL_HEAD:
                check_texts(value, MAX_DEPTH)
        except WireError:
            raise
        except Exception as error:
            raise WireError(f"malformed message ({type(error).__name__})") from None
        return tuple(value) if whole else value

    def handle(self, number: int, kind: str, name: str) -> Any:
        """Return what stands for a handle on this side."""
        return Handle(number, kind, name)

    def parts(self, number: int, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
        """Return a named tuple with these fields."""
        return tuple.__new__(named_tuple(name, fields), values)

    def tensor(self, number: int, dtype: str, wants_grad: bool, array: Any, grad: Any) -> Any:
        """Return a tensor."""
        return array

    def _unpacked(self, data: Any) -> Any:
        return msgpack.unpackb(data, ext_hook=self._special, object_pairs_hook=self._mapping, **_OPTIONS)

    def _special(self, code: int, data: bytes) -> Any:
        """Return what an extension stands for."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise WireError("malformed message (too many parts)")
        if code == ARRAY:
            return self._array(data)
        if code in _COMPOUND:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise WireError("malformed message (too deep)")
            values = self._unpacked(data)
            self._depth -= 1
            if type(values) is list:
                return self._compound(code, values)
        elif code == SCALAR:
            return self._array(data)[()]
        elif code == COMPLEX:
            return complex(*_COMPLEX.unpack(data))
        elif code == INTEGER and len(data) <= MAX_INT_BYTES:
            return int.from_bytes(data, "little", signed=True)
        elif code == ELLIPSIS and not data:
            return Ellipsis
        elif code == DTYPE:
            return dtype_of(data)
        elif code == PICKLE and self.trusted:
            return pickle.loads(data)  # noqa: S301  (in the worker alone, from the trusted side)
        raise WireError("malformed message (a pickle, or an unknown code)")

    def _mapping(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        if len(pairs) > FEW_KEYS:
            self._count_hashed(sum(type(key) not in PLAIN_KEYS or _is_long(key) for key, _ in pairs))
        return dict(pairs)

    def _count_hashed(self, count: int) -> None:
        self._hashed += count
        if self._hashed > MAX_HASHED:
            raise WireError(f"the value holds sets and dictionaries with more than {MAX_HASHED} values and keys")

    def _compound(self, code: int, values: list[Any]) -> Any:
        if code == TUPLE:
            return tuple(values)
        if code == SET:
            self._count_hashed(len(values))
            return set(values)
        if code == SLICE:
            return slice(*values)
        if code == OBJECTS and len(values) == 2 and (made := array_of(*values)) is not None:
            return made
        kinds = [type(value) for value in values]
        if code == HANDLE and kinds == [int, str, str]:
            return self.handle(*values)
        if code == PARTS and kinds == [int, str, list, list] and len(values[2]) == len(values[3]):
            return self.parts(values[0], values[1], tuple(values[2]), tuple(values[3]))
        if code == TENSOR and kinds[:4] == [int, str, bool, np.ndarray] and _is_grad(values[4:]):
            return self.tensor(*values)
        raise WireError("malformed message (unknown form)")

    def _array(self, place: bytes) -> Any:
        length, ndim, offset = _PLACE.unpack_from(place)
        start = _PLACE.size + length
        name = place[_PLACE.size : start]
        usual = USUAL.get(name)
        dtype = usual or dtype_of(name)
        if ndim > MAX_AXES or len(place) != start + 8 * ndim:
            raise WireError("malformed message (axes)")
        shape = _AXES[ndim].unpack_from(place, start)
        at, itemsize = self._start + offset, dtype.itemsize
        size = math.prod(shape) * itemsize
        self._taken += size or math.prod(max(count, 1) for count in shape) * max(itemsize, 1)
        if size > len(self._data) - at or self._taken > MAX_FRAME:  # an empty one has axes too, and a sum over them
            raise WireError("malformed message (too short)")
        array = np.ndarray(shape, dtype, self._data, at).copy() if size else np.empty(shape, dtype)
        return array if usual or dtype.isnative else array.astype(dtype.newbyteorder("="))


_COMPOUND = frozenset({TUPLE, SET, SLICE, HANDLE, PARTS, TENSOR, OBJECTS})


def _is_long(key: Any) -> bool:
    return type(key) is int and key.bit_length() > 64


def _is_grad(values: list[Any]) -> bool:
    return len(values) == 1 and (values[0] is None or values[0] is False or type(values[0]) is np.ndarray)
