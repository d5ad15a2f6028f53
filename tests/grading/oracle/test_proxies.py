"""What crosses the border, and how a stand-in behaves."""

import json
import struct
from collections.abc import Iterator
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bncourse.grading.core import render
from bncourse.grading.core.records import Master, MasterCell, SubmissionRecord
from bncourse.grading.engine.grader import Grader
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


def test_large_values_are_refused_before_they_are_copied() -> None:
    with pytest.raises(WireError, match="larger"):
        Encoder().encode(np.broadcast_to(np.float64(0), (MAX_FRAME,)))


# --- through the whole engine ---

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(jobs=1, cache=False) as made:
        yield made


def one(grader: Grader, answer: str, test: str, *, imports: tuple[str, ...] = ("numpy",)) -> SubmissionRecord:
    """Grade an assignment of one answer and one test, with its own solution."""
    setup = "\n".join(f"import {name}" for name in imports) + "\nimport numpy as np"
    cells = (
        MasterCell("setup", "given", setup),
        MasterCell("answer", "answer", f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION"),
        MasterCell("test", "test", test, 1.0),
    )
    master = Master("one", "One", cells, imports=imports, metadata={"digest": str(hash(answer + test))})
    notebook = render.source_notebook(master)
    return grader.grade(master, "x", json.dumps(notebook).encode())


ORDINARY = {
    "copies": ("def f(x):\n    x += 1\n    return x", "a = np.zeros(2)\nf(a)\nassert a[0] == 0"),
    "changes told": ("def f(x):\n    x += 1", "f(np.zeros(2))\nassert f.mutated_arguments == ('x',)"),
    "callback": ("def apply(g, x):\n    return g(x) + g(2 * x)", "assert apply(lambda x: x ** 2, 3.0) == 45.0"),
    "exception": ("def f():\n    raise KeyError", "try:\n    f()\nexcept KeyError:\n    pass\nelse:\n    assert False"),
    "generator": ("def f(rng):\n    return rng.normal()", "r = np.random.default_rng\nassert f(r(1)) == r(1).normal()"),
    "named tuple": (
        "import collections\nP = collections.namedtuple('P', 'a b')\ndef f():\n    return P(1, 2)",
        "p = f()\nassert p.b == 2",
    ),
    "object": (
        "class A:\n    x = [1, 2]\n    def __getitem__(self, k):\n        return k",
        "a = A()\nassert a[3] == 3 and A.x == [1, 2]",
    ),
    "iterator": ("def f(n):\n    yield from range(n)", "assert list(f(3)) == [0, 1, 2]"),
    "dtype": (
        "def f(d, *, dtype):\n    return np.zeros(d, dtype)",
        "assert f(2, dtype=np.float32).dtype == np.float32",
    ),
}


@pytest.mark.parametrize(("answer", "test"), ORDINARY.values(), ids=ORDINARY)
def test_ordinary_test_cells_run_against_stand_ins(grader: Grader, answer: str, test: str) -> None:
    record = one(grader, answer, test)
    assert record.status == "correct", record.verdicts


NORM = """\
class Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x_hat = (x - x.mean(0)) / x.std(0, unbiased=False)
        ctx.save_for_backward(x_hat, x.std(0, unbiased=False))
        return x_hat

    @staticmethod
    def backward(ctx, dy):
        x_hat, std = ctx.saved_tensors
        return (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0)) / std

norm = Norm.apply

class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3))
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        self.seen += 1
        return self.weight * x"""
TEST_NORM = """\
x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
assert torch.autograd.gradcheck(norm, (x,))
(mine,) = torch.autograd.grad(norm(x), x, torch.ones(5, 3, dtype=torch.float64))
assert mine.abs().max() < 1e-12
(again,) = norm.vjp([x], torch.ones(5, 3, dtype=torch.float64))
assert torch.equal(mine, again)
layer = Layer()
layer(torch.ones(2, 3)).sum().backward()
assert layer.weight.grad.tolist() == [2.0, 2.0, 2.0]
assert set(layer.state_dict()) == {"weight", "seen"} and layer.seen.item() == 1.0
layer.eval()
assert layer.training is False"""


@pytest.mark.slow
def test_gradients_of_torch_code_are_taken_in_the_worker(grader: Grader) -> None:
    pytest.importorskip("torch")
    record = one(grader, NORM, TEST_NORM, imports=("numpy", "torch"))
    assert record.status == "correct", record.verdicts
