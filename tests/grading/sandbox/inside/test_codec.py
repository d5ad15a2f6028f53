"""What crosses the border between the two compartments, and what is refused."""

import itertools
import struct
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bncourse.grading.sandbox.inside.codec import ARRAY, PICKLE, TUPLE, Decoder, Encoder
from bncourse.grading.sandbox.inside.wire_types import MAX_FRAME, WireError

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.text(),
    st.binary(),
)
VALUES = st.recursive(
    SCALARS,
    lambda part: st.one_of(st.lists(part), st.tuples(part, part), st.dictionaries(st.text(), part)),
    max_leaves=20,
)


@given(VALUES)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    back = Decoder().decode(Encoder().encode(value))
    assert back == value
    assert type(back) is type(value)


@given(arrays(st.sampled_from(["<f8", "<f4", ">i4", "|b1", "<c16", "<U3"]), array_shapes(min_dims=0, min_side=0)))
def test_arrays_keep_dtype_shape_and_values(value: Any) -> None:
    back = Decoder().decode(Encoder().encode(value))
    native = value.astype(value.dtype.newbyteorder("="))  # numbers of either byte order are the same numbers
    assert (back.dtype, back.shape, back.tobytes()) == (native.dtype, native.shape, native.tobytes())
    assert back.flags.writeable


@given(st.binary(max_size=200))
def test_noise_is_refused_and_never_raises_anything_else(data: bytes) -> None:
    try:
        Decoder().decode(data)
    except WireError:
        return


@given(VALUES, st.data())
def test_a_damaged_message_is_refused_or_another_plain_value(value: Any, data: Any) -> None:
    message = bytearray(Encoder().encode(value))
    message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        Decoder().decode(bytes(message))
    except WireError:
        return


def framed(head: bytes, arrays: bytes = b"") -> bytes:
    return b"\0" + len(head).to_bytes(4, "little") + head + arrays


def place(name: str, *shape: int, at: int = 0) -> bytes:
    return struct.pack(f"<BBQ{len(name)}s{len(shape)}Q", len(name), len(shape), at, name.encode(), *shape)


def deep_tuple() -> bytes:
    head = b"\x90"
    for _ in range(100):
        head = msgpack.packb([msgpack.ExtType(TUPLE, head)])
    return bytes(head)


@pytest.mark.parametrize(
    "message",
    [
        framed(msgpack.packb(msgpack.ExtType(PICKLE, b"abc"))),
        framed(msgpack.packb(msgpack.ExtType(ARRAY, place("<f8", 2**40, 2**40)))),
        framed(msgpack.packb(msgpack.ExtType(ARRAY, place("<f8", 1, at=2**63))), bytes(8)),
        framed(msgpack.packb(msgpack.ExtType(ARRAY, place("|O8", 1))), bytes(8)),
        framed(b"\xdd\xff\xff\xff\xff"),
        framed(b"\x91" * 5_000 + b"\xc0"),
        framed(deep_tuple()),
        b"\x00\xff\xff\xff\xff",
        b"",
    ],
    ids=[
        "a pickle",
        "an array larger than the message",
        "an array outside of the message",
        "objects",
        "a count without parts",
        "too deep",
        "tuples too deep",
        "a head longer than the message",
        "nothing",
    ],
)
def test_what_breaks_the_rules_is_refused(message: bytes) -> None:
    with pytest.raises(WireError):
        Decoder().decode(message)


@pytest.mark.parametrize(
    "value",
    [
        dict.fromkeys(itertools.product((-1, -2), repeat=13)),
        [dict.fromkeys(itertools.product((-1, -2), repeat=6))] * 100,
        [set(itertools.product((-1, -2), repeat=6))] * 100,
        dict.fromkeys(i * (2**61 - 1) for i in range(64, 6_000)),
        dict.fromkeys(complex(-1_000_003 * i, i) for i in range(6_000)),
    ],
    ids=["a dictionary", "many dictionaries", "many sets", "long integers", "complex numbers"],
)
def test_many_values_of_one_hash_are_refused(value: Any) -> None:
    data = Encoder().encode(value)
    with pytest.raises(WireError, match="sets and dictionaries"):
        Decoder().decode(data)


def test_many_plain_keys_are_allowed() -> None:
    value = {**dict.fromkeys(range(20_000), 0.5), **dict.fromkeys(map(str, range(20_000)))}
    assert Decoder().decode(Encoder().encode(value)) == value


def test_large_values_are_refused_before_they_are_copied() -> None:
    with pytest.raises(WireError, match="larger"):
        Encoder().encode(np.broadcast_to(np.float64(0), (MAX_FRAME,)))
