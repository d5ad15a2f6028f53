"""No test gives points to a function that does no work: one that returns what it was given, zeros, ones or nothing."""

import ast
import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.core.records import Master
from bncourse.grading.core.regions import SOLUTION
from tests.assignments.whole_class import MASTERS, one_at_once

Function = Callable[..., Any]
RIGHT_AS_IT_IS = {
    (
        "fooling_backward",
        "zeros",
        "test-fool-gradient",
    ): "a wrong program was asked for, and the loss y.sum() has no dx",
    (
        "batch_norm_forward",
        "any",
        "test-bias",
    ): "judges linear_then_norm, and with whatever normalization it was written",
}
"""What passes, and why it may."""
TORCH = {"pytorch"}


def filled(value: Any, fill: Callable[[Any], Any]) -> Any:
    """A result with each of its arrays and numbers replaced."""
    if isinstance(value, tuple | list):
        return type(value)(filled(part, fill) for part in value)
    if isinstance(value, dict):
        return {name: filled(part, fill) for name, part in value.items()}
    return fill(value) if isinstance(value, np.ndarray | float | int) else value


def trivial(right: Function) -> Iterator[tuple[str, Function]]:
    """Functions whose results have the right form, and nothing of the work."""

    def with_fill(fill: Callable[[Any, list[Any]], Any]) -> Function:
        def function(*args: Any, **kwargs: Any) -> Any:
            arrays = [each for each in args if isinstance(each, np.ndarray)]
            return filled(right(*args, **kwargs), lambda value: fill(value, arrays))

        return function

    def an_input(value: Any, arrays: list[Any], last: bool = False) -> Any:
        fitting = [each for each in arrays if each.shape == np.shape(value)]
        return fitting[-1 if last else 0].copy() if fitting else np.zeros_like(value)

    yield "zeros", with_fill(lambda value, _: np.zeros_like(value, dtype=float))
    yield "ones", with_fill(lambda value, _: np.ones_like(value, dtype=float))
    yield "an input", with_fill(an_input)
    yield "the last input", with_fill(lambda value, arrays: an_input(value, arrays, last=True))
    yield "the first argument alone", lambda first, *_, **__: first
    yield "None", lambda *_, **__: None
    yield "True", lambda *_, **__: True
    yield "False", lambda *_, **__: False


def solved(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if not any(mark in line for mark in SOLUTION))


def names_of(master: Master) -> tuple[dict[str, Any], list[str]]:
    """What the solution and the given cells define, and the functions that are asked for."""
    names, asked = dict[str, Any](__name__="__main__"), list[str]()
    for cell in master.cells:
        if cell.kind == "answer" or (cell.kind == "given" and not cell.grade_id.endswith(("-run", "curves"))):
            tree = ast.parse(solved(cell.source))
            shows = (ast.Expr, ast.For)
            tree.body = [node for node in tree.body if not isinstance(node, shows)]
            exec(compile(tree, cell.grade_id, "exec"), names)
            asked += [name for name in master.binds[cell.grade_id] if cell.kind == "answer" and callable(names[name])]
    return names, sorted(asked)


def passes(test: Any, names: dict[str, Any]) -> bool:
    """Whether a test passes; it leaves the names as they were."""
    before = dict(names)
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            exec(test, names)
    except Exception:
        return False
    else:
        return True
    finally:
        names.clear()
        names.update(before)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "task", one_at_once(set(list_masters(MASTERS)) - TORCH, "backward", "beyond", "forward", "shift")
)
def test_no_test_passes_a_function_that_does_no_work(task: str) -> None:
    master = load_master(MASTERS / f"{task}.md")
    names, asked = names_of(master)
    tests = {cell.grade_id: compile(cell.source, cell.grade_id, "exec") for cell in master.cells if cell.kind == "test"}
    found = []
    for name in asked:
        right = names[name]
        about = [test for test in tests if name in master.loads[test]]
        for what, function in trivial(right):
            names[name] = function
            found += [(name, what, test) for test in about if passes(tests[test], names)]
        names[name] = right
    allowed = {(name, what, test) for name, what, test in found if (name, "any", test) in RIGHT_AS_IT_IS}
    assert set(found) - allowed - RIGHT_AS_IT_IS.keys() == set()
    assert all(passes(code, names) for test, code in tests.items() if master.loads[test] & set(asked))


DOES_NOTHING = """
def own_backward(ctx, dy):
    return FILL(dy), FILL(ctx.saved_tensors[0]), FILL(ctx.saved_tensors[1]), None


class BatchNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps):
        ctx.save_for_backward(gamma, beta)
        return FILL(x)

    backward = staticmethod(own_backward)


class BatchNorm(torch.nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()

    def forward(self, x):
        return FILL(x)


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    return FILL(weight), FILL(running_mean if bias is None else bias)
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fill", ["torch.clone", "torch.zeros_like", "torch.ones_like"])
def test_no_test_of_pytorch_passes_code_that_does_no_work(fill: str) -> None:
    master = load_master(MASTERS / "pytorch.md")
    names, asked = names_of(master)
    exec(DOES_NOTHING.replace("FILL", fill), names)
    for cell in master.cells:
        if cell.grade_id.endswith("-watched"):
            exec(cell.source, names)
    about = {*asked, "function", "after"}
    tests = [cell for cell in master.cells if cell.kind == "test" and master.loads[cell.grade_id] & about]
    assert len(tests) > 10
    assert [each.grade_id for each in tests if passes(each.source, names)] == []
