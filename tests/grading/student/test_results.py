"""A value that a student's function returns is the same thing in `bncourse check` and when it is graded."""

import array
import socket
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.call import kind_of
from bncourse.grading.oracle.connection import Connection
from bncourse.grading.oracle.proxies import Remote
from bncourse.grading.oracle.remote_errors import NoArray, StudentRefused
from bncourse.grading.oracle.verdicts import what_stopped
from bncourse.grading.sandbox.inside.array_likes import array_of
from bncourse.grading.sandbox.inside.channel import Channel
from bncourse.grading.sandbox.inside.codec import Decoder, Encoder
from bncourse.grading.sandbox.inside.kept_values import KeptValues
from bncourse.grading.student.results import as_graded, with_copies

ONES = np.arange(6.0).reshape(2, 3)


class Posing:
    """An object that says that it is an array."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, key: Any) -> Any:
        return self.values[key]


class Own(np.ndarray[Any, Any]):
    """An array of the student's own kind."""


class Number(float):
    def __float__(self) -> float:
        raise ValueError("its numbers are found later")


def objects(make: Any) -> Any:
    return np.vectorize(make, otypes=[object])(ONES)


KINDS: dict[str, Any] = {
    "an array": ONES,
    "objects": ONES.astype(object),
    "objects of NumPy's": objects(np.float64),
    "fractions": objects(lambda each: Fraction(float(each))),
    "decimals": objects(lambda each: Decimal(float(each))),
    "integers": np.array([1, 2, True], dtype=object),
    "complex numbers": np.array([1 + 2j, 3], dtype=object),
    "one object": np.array(3.0, dtype=object),
    "no object": np.empty((0, 3), dtype=object),
    "array.array": array.array("d", [1.0, 2.0]),
    "memoryview": memoryview(ONES),
    "deque": deque([1.0, 2.0]),
    "range": range(5),
    "matrix": ONES.view(np.matrix),
    "masked": np.ma.masked_array(ONES, mask=ONES == 1),
    "a kind of array": ONES.view(Own),
    "tuple of arrays": tuple(ONES),
    "0-d": np.array(3.0),
    "fraction": Fraction(1, 3),
    "a small fraction": Fraction(1e-30),
    "decimal": Decimal(3),
    "float16": ONES.astype(np.float16),
    "complex": ONES + 0j,
    "bool": ONES > 1,
    "text": ONES.astype(str),
    "named": {"dx": [ONES.view(np.matrix), (Fraction(1, 2), ONES.astype(object))]},
}
POSING = {"an object": Posing(ONES), "in a tuple": (Posing(ONES), None), "in a dictionary": {"y": Posing(ONES)}}
STAYS: dict[str, Any] = {
    "None": np.array([1.0, None], dtype=object),
    "arrays": np.array([ONES, None], dtype=object)[:1],
    "texts": np.array(["a"], dtype=object),
    "a number of the student's": np.array([Number(1)], dtype=object),
    "a large integer": np.array([2**64], dtype=object),
}


@pytest.fixture
def kept() -> Iterator[KeptValues]:
    ours, theirs = socket.socketpair()
    yield KeptValues(Channel(ours.fileno()))
    ours.close()
    theirs.close()


class Oracle(Connection):
    """The trusted side, which is not connected."""

    def __init__(self) -> None:
        self.freed: list[int] = []


def graded(kept: KeptValues, value: Any) -> Any:
    return Oracle().decode(kept.encoder.encode(value))


def seen(value: Any) -> Any:
    """What a test sees of a value: its kind, and its numbers or how it refuses to have any."""
    if type(value) in (list, tuple):
        return type(value), [seen(part) for part in value]
    if type(value) is dict:
        return {name: seen(part) for name, part in value.items()}
    try:
        read = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        return type(error).__name__
    return read.shape, read.tobytes(), getattr(value, "dtype", None)


@pytest.mark.parametrize("name", KINDS)
def test_a_result_arrives_alike(name: str, kept: KeptValues) -> None:
    assert seen(as_graded(KINDS[name])) == seen(graded(kept, KINDS[name]))


@pytest.mark.parametrize("name", POSING)
def test_an_object_that_poses_as_an_array_is_refused_alike_and_the_way_out_is_named(
    name: str, kept: KeptValues
) -> None:
    def one(value: Any) -> Any:
        return value["y"] if type(value) is dict else value[0] if type(value) is tuple else value

    for made in (one(as_graded(POSING[name])), one(graded(kept, POSING[name]))):
        assert kind_of(made) == "Posing", "the name of the student's own class"
        with pytest.raises(StudentRefused, match=r"class Posing is no array. Return .* np.array") as caught:
            np.asarray(made, dtype=float)
        assert what_stopped(caught.value) == "TypeError"
        with pytest.raises(NoArray):
            _ = ONES - made
        with pytest.raises(TypeError):
            bool(made)


@pytest.mark.parametrize(
    "value", [(each for each in ONES), map(abs, ONES), np.rec.fromarrays(list(ONES)), *STAYS.values()]
)
def test_so_is_what_gives_values_one_by_one_or_holds_others(value: Any, kept: KeptValues) -> None:
    made = as_graded({"y": [value]})["y"][0]
    said = set()
    for one in (made, graded(kept, value)):
        with pytest.raises(NoArray) as caught:
            np.asarray(one, dtype=float)
        said.add((str(caught.value), kind_of(one)))
    assert len(said) == 1 and "Posing" not in str(said)
    back = with_copies(lambda y, *, more: y[0] is value and more["y"] is value)
    assert back([made], more={"y": made})


@pytest.mark.parametrize("name", STAYS)
def test_an_array_of_other_objects_stays_with_the_student(name: str, kept: KeptValues) -> None:
    assert type(graded(kept, STAYS[name])) is Remote


def test_what_a_test_hands_back_is_the_students_own() -> None:
    own = Posing(ONES)
    made = with_copies(lambda: own)()
    assert with_copies(lambda value, *, again: (value is own, again is own))(made, again=made) == (True, True)
    assert len(made) == 2 and made[0][1] == 1.0 and made.values is ONES
    made.values = [3.0]
    assert own.values == [3.0] and list(made) == [3.0]


@pytest.mark.parametrize(
    ("shape", "values"),
    [
        ((2,), [1.0, 2.0]),
        ([3], [1.0, 2.0]),
        ([-1], []),
        ([2], [1.0, None]),
        ([1], [2**64]),
        ([True], [1.0]),
        ([1], (1,)),
        ([0, 10**12], []),
        ([1] * 33, [1.0]),
    ],
)
def test_a_message_with_other_objects_is_refused(shape: Any, values: Any) -> None:
    assert array_of(shape, values) is None


def test_objects_go_there_and_back() -> None:
    value = objects(float)
    back = Decoder().decode(Encoder().encode(value))
    assert back.dtype == object and back.shape == (2, 3) and {type(each) for each in back.ravel()} == {float}
