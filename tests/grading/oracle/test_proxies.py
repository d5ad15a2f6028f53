"""How a proxy behaves in ordinary test cells, through the whole engine."""

import json
from collections.abc import Iterator

import pytest

from bncourse.grading.core import render
from bncourse.grading.core.records import Master, MasterCell, SubmissionRecord
from bncourse.grading.engine.grader import Grader

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(jobs=1, cache=False) as made:
        yield made


def one(
    grader: Grader, answer: str, test: str, *, instead: str = "", imports: tuple[str, ...] = ("numpy",)
) -> SubmissionRecord:
    """Grade an assignment of one answer and one test, with its own solution or with another answer."""
    setup = "\n".join(f"import {name}" for name in imports) + "\nimport numpy as np"
    cells = (
        MasterCell("setup", "given", setup),
        MasterCell("answer", "answer", f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION"),
        MasterCell("test", "test", test, 1.0),
    )
    master = Master("one", "One", cells, imports=imports, metadata={"digest": str(hash(answer + test))})
    notebook = render.source_notebook(master)
    notebook["cells"][1]["source"] = instead or notebook["cells"][1]["source"]
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


LOOPS = {
    "map": "for value in map(f, [1.0, 2.0]):\n    assert value == 3.0",
    "all": "assert all(map(lambda one: f(one) == 3.0, [1.0, 2.0]))",
    "list": "found = [*map(f, [1.0, 2.0])]\nassert all(one == 3.0 for one in found)",
}


@pytest.mark.parametrize("test", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("name", ["StopIteration", "StopAsyncIteration"])
def test_no_exception_of_the_students_ends_a_loop_of_the_test(grader: Grader, name: str, test: str) -> None:
    record = one(grader, "def f(x):\n    return 3.0", test, instead=f"def f(x):\n    raise {name}")
    assert (record.status, record.score) == ("crashed", 0.0), record.verdicts


def test_a_group_of_exceptions_is_an_exception_of_the_students(grader: Grader) -> None:
    group = "def f(x):\n    raise ExceptionGroup('two', [ValueError(), KeyError()])"
    record = one(grader, "def f(x):\n    return 3.0", "assert f(1) == 3.0", instead=group)
    assert record.status == "crashed", record.verdicts


@pytest.mark.parametrize(("answer", "test"), ORDINARY.values(), ids=ORDINARY)
def test_ordinary_test_cells_run_against_proxies(grader: Grader, answer: str, test: str) -> None:
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
