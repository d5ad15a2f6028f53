"""No released notebook prints what an assignment asks for: neither a formula of some length nor a whole function."""

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.core.records import Master
from tests.assignments.whole_class import MASTERS, class_of

PARTS = 4
"""Names and calls of a formula. A shorter one is no answer by itself: `gamma * x_hat + beta`."""
STATED = {"white.T @ white / len(white)"}
"""What the question itself says: `x.T @ x / N`."""


@cache
def master(task: str) -> Master:
    return load_master(MASTERS / f"{task}.md")


class _Renamed(ast.NodeTransformer):
    """Names in the order in which they come, so that other names for the same things are the same code."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return node if node.id == "np" else self.renamed(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """What a dictionary holds is a name as well: `cache["gamma"]`."""
        is_key = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        return self.renamed(node) if is_key else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A number such as eps may have a name elsewhere; 0, 1 and 2 are axes and exponents."""
        return self.renamed(node) if isinstance(node.value, float) else node

    def renamed(self, node: ast.expr) -> ast.AST:
        return ast.Name(self.names.setdefault(ast.unparse(node), f"name_{len(self.names)}"), ast.Load())


def formulas(code: str) -> Iterator[tuple[str, str]]:
    """Each formula of some length, and each part of one, with its names in order and as it is written."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.BinOp):
            renamed = _Renamed().visit(ast.parse(ast.unparse(node), mode="eval").body)
            if sum(isinstance(part, ast.Name | ast.Call) for part in ast.walk(renamed)) >= PARTS:
                yield ast.dump(renamed), ast.unparse(node)


def answers(task: str) -> dict[str, str]:
    """The formulas of the solution, and of all right answers of the sample class."""
    codes = [cell.source for cell in master(task).cells if cell.kind == "answer"]
    students = class_of(task).students
    codes += [code for each in students if each.status == "correct" and not each.lost for code in each.answers.values()]
    return {form: f"{task}: {text}" for code in codes for form, text in formulas(code)}


def released(task: str) -> list[str]:
    given = master(task).released
    return [given[cell.grade_id] for cell in master(task).cells if cell.kind in ("given", "answer", "test")]


@pytest.fixture(scope="module")
def asked() -> dict[str, str]:
    return {form: text for task in list_masters(MASTERS) for form, text in answers(task).items()}


@pytest.mark.parametrize("task", sorted(list_masters(MASTERS)))
def test_no_release_prints_a_formula_that_an_assignment_asks_for(task: str, asked: dict[str, str]) -> None:
    assert {
        text: asked[form]
        for code in released(task)
        for form, text in formulas(code)
        if form in asked and text not in STATED
    } == {}


def test_the_closed_form_is_known_under_other_names_and_as_a_part(asked: dict[str, str]) -> None:
    code = 'd = cache["g"] * (a - a.mean(axis=0) - b * (a * b).mean(axis=0))'
    assert [asked[form] for form, _ in formulas(code) if form in asked]
