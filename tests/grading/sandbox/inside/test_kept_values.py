"""What leaves the student's process as a copy, and what stays there under a number."""

import enum
import socket
import types
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bncourse.grading.sandbox.inside.channel import Channel
from bncourse.grading.sandbox.inside.codec import Decoder, Encoder
from bncourse.grading.sandbox.inside.kept_values import MAX_ITEMS, KeptValues
from bncourse.grading.sandbox.inside.wire_types import Handle, Parts

Pair = namedtuple("Pair", "a b")


class Color(enum.IntEnum):
    RED = 3


class Own(list[int]):
    pass


@pytest.fixture
def values() -> Iterator[KeptValues]:
    ours, theirs = socket.socketpair()
    yield KeptValues(Channel(ours.fileno()))
    ours.close()
    theirs.close()


def test_a_value_of_the_students_own_kind_leaves_as_its_plain_base(values: KeptValues) -> None:
    left = values.leave(Color.RED)
    assert (left, type(left)) == (3, int)
    assert type(values.leave(np.ma.masked_array([1.0]))) is np.ndarray
    assert values.kept == {}


@pytest.mark.parametrize(
    ("value", "kind"),
    [(lambda: 1, "function"), (Own, "class"), (types.SimpleNamespace(), "object"), (Pair._make, "function")],
)
def test_what_is_no_value_stays_and_leaves_as_a_handle(values: KeptValues, value: Any, kind: str) -> None:
    handle = values.leave(value)
    assert type(handle) is Handle and handle.kind == kind
    assert values.handle(handle.number, "", "") is value
    values.do_free([handle.number])
    assert values.kept == {}


def test_a_container_of_the_students_own_kind_leaves_as_a_copy_that_can_be_handed_back(values: KeptValues) -> None:
    own = Own([1, 2])
    parts = values.leave(own)
    assert type(parts) is Parts and (parts.name, parts.values) == ("=list", ([1, 2],))
    assert values.kept[parts.number] is own


def test_a_named_tuple_comes_back_as_one_of_its_class(values: KeptValues) -> None:
    class Opaque(Decoder):
        def parts(self, number: int, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
            return Parts(number, name, fields, values)

    crossed = Opaque().decode(values.encoder.encode(Pair(1, 2.5)))
    back = values.decode(Encoder(lambda value: value).encode([crossed]))
    assert back == [Pair(1, 2.5)] and type(back[0]) is Pair


def test_an_iteration_without_end_gives_so_many_items(values: KeptValues) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    assert values.do_items(endless())[1] == [1] * MAX_ITEMS
