"""No test of an assignment can fail without saying in some words what is wrong and where to look."""

import ast

import pytest

from bncourse.grading.authoring.masters import list_masters, load_master
from tests.assignments.whole_class import MASTERS

WORDS = 9
PREDICTION = "Set prediction_"
"""How the message of a prediction begins, which says all that there is to do."""


def words_of(message: ast.expr | None) -> str:
    """What an assertion says; of a text with places for values, what stands around them."""
    if isinstance(message, ast.Constant):
        return str(message.value)
    if isinstance(message, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "value" for part in message.values)
    return ""


@pytest.mark.parametrize("task", sorted(list_masters(MASTERS)))
def test_every_assertion_says_what_is_wrong_in_some_words(task: str) -> None:
    short = []
    for cell in load_master(MASTERS / f"{task}.md").cells:
        for node in ast.walk(ast.parse(cell.source)) if cell.kind == "test" else ():
            said = words_of(node.msg) if isinstance(node, ast.Assert) else PREDICTION
            if len(said.split()) < WORDS and not said.startswith(PREDICTION):
                short.append((cell.grade_id, said))
    assert short == []
