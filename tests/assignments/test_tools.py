"""What other tools write is read as what the student wrote: answers, own cells, and the assignment's text only once."""

import ast
import json
from functools import lru_cache
from typing import Any

import pytest

from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import release_notebook
from bncourse.grading.submissions.notebooks import read_notebook
from bncourse.grading.submissions.read import read_submission
from bncourse.grading.submissions.said import is_assignments, is_tools
from tests.assignments.saved_by_tools import COLAB, DEEPNOTE, TOOLS, saved_by
from tests.assignments.whole_class import MASTERS

OWN = {"Kaggle": 1, "marimo": 1}
"""Tools that put a cell of code above a notebook."""
QUICK = ("forward", "pytorch")
READ = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.long) for name in list_masters(MASTERS)]


@lru_cache(maxsize=1)
def master_and_solved(assignment: str) -> tuple[Master, dict[str, Any]]:
    """A master, and its release with the model solution written into it."""
    master = load_master(MASTERS / f"{assignment}.md")
    made = release_notebook(master)
    cells = {cell.grade_id: cell for cell in master.cells if cell.kind in ("answer", "written")}
    for cell in made["cells"]:
        if cell["id"] in cells:
            lines = cells[cell["id"]].source.split("\n")
            cell["source"] = "\n".join(line for line in lines if "SOLUTION" not in line)
    return master, made


def same(source: str) -> str:
    """Code as it is parsed, or text without its white space."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return "".join(source.split())


@pytest.mark.parametrize("assignment", READ)
@pytest.mark.parametrize("solved", [True, False])
def test_every_answer_is_found_and_no_text_of_the_assignment_is_the_students(assignment: str, solved: bool) -> None:
    master, notebook = master_and_solved(assignment)
    notebook = notebook if solved else release_notebook(master)
    wanted = read_submission(master, json.dumps(notebook).encode())
    for tool in TOOLS:
        found = read_submission(master, saved_by(notebook, tool))
        answers = {name: same(text) for name, text in found.answers.items()}
        assert answers == {name: same(text) for name, text in wanted.answers.items()}, tool
        assert (found.reason, found.texts, found.moved, found.elsewhere) == ("", (), (), frozenset()), tool
        assert len(found.extras) == OWN.get(tool, 0), tool
        assert not [note for note in found.repairs if "changed" in note or "missing" in note], tool


@pytest.mark.parametrize("tool", TOOLS)
def test_a_text_of_the_students_own_stays_theirs(tool: str) -> None:
    master, notebook = master_and_solved("forward")
    own = "Both paths of `dx` run through the mean, so I take both.\n\n$\\sum_i \\hat x_i = 0$"
    cells = list(notebook["cells"])
    place = next(number for number, cell in enumerate(cells) if cell["id"] == "test-forward")
    cells.insert(place + 1, {"cell_type": "markdown", "id": "own", "metadata": {}, "source": own})
    found = read_submission(master, saved_by({**notebook, "cells": cells}, tool))
    said = "".join(text.source for text in found.texts) + "".join(extra.source for extra in found.extras)
    assert "run through the mean, so I take both" in said


def test_a_quotation_with_a_word_of_ones_own_is_not_the_assignments() -> None:
    master, _ = master_and_solved("forward")
    text = next(cell.source for cell in master.cells if cell.kind == "text" and len(cell.source) > 300)
    assert is_assignments(master, text[40:200]) and is_assignments(master, text.replace("\n", " "))
    assert not is_assignments(master, f"{text}\n\nNo, because m is 4.")
    assert not is_assignments(master, "yes") and not is_assignments(master, "") and not is_assignments(master, "+1 😀")


def test_a_badge_is_a_tools_and_a_picture_with_words_is_not() -> None:
    assert is_tools(DEEPNOTE) and is_tools(COLAB)
    assert is_tools("[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/x/y)")
    assert not is_tools(f"{COLAB}\n\nThe variance path carries gamma.")
    assert not is_tools('<img src="attachment:proof.png">') and not is_tools("![](attachment:proof.png)")


@pytest.mark.parametrize("level", [1, 3, True, 0, 7, "2", None, [1]])
def test_a_heading_of_format_3_is_a_text(level: object) -> None:
    cell = {"cell_type": "heading", "level": level, "source": "Task 1", "metadata": {}}
    raw = json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell]}], "metadata": {}}).encode()
    (found,) = read_notebook(raw).cells
    assert (found.cell_type, found.source.lstrip("#")) == ("markdown", " Task 1")
