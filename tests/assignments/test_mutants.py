"""Every small change of a solution loses points, in every assignment; `backward` has a file of its own."""

import copy
from pathlib import Path

import pytest

from bncourse.grading.authoring.masters import load_master
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import Notebook, source_notebook
from bncourse.grading.student.selfcheck import checks_in_turn
from tests.assignments.mutation import mutants

MASTERS = Path(__file__).resolve().parents[2] / "assignments" / "masters"
ANSWERS = {
    "shift": ["weights", "fit", "standardize", "condition", "zca", "naive", "honest"],
    "forward": ["forward", "identity", "running", "start", "inference", "conv", "bias"],
    "pytorch": ["function", "module", "fold"],
    "training": ["gradients", "train", "sweep-rates", "findings-rates", "sweep-sizes", "findings-size", "mend"],
    "beyond": ["layer", "group", "merge", "back", "weight-gradient", "secret"],
}
"""The answers that can be right in one way only, up to style: in `beyond` own programs are asked for too."""
SHOWN_ONLY = {"curves", "rates-run", "sizes-run", "report", "mended", "gradcheck-run"}
"""Given cells of `training` and `pytorch` that take long, and on which no test depends."""
EQUIVALENT = {
    ("weights", "line 4: operator"): "the factor before the densities cancels in their ratio",
    ("weights", "line 4: constant"): "the same",
    ("fit", "line 5: operator"): "weighted deviations sum to zero, so one of the two means may have either sign",
    ("condition", "line 3: operator"): "a common factor of the eigenvalues cancels in their ratio",
    ("naive", "line 5: operator"): "the mean takes the bias away, whatever its sign",
    ("honest", "line 3: operator"): "the same",
    ("bias", "line 3: operator"): "the same: this is what the task is about",
}
"""Changes that change no value, and why."""


def prepared(master: Master, answer: str) -> Notebook:
    """The notebook with its solutions, and of the tests only those that depend on the answer: all after it."""
    notebook = source_notebook(master)
    place = [cell["id"] for cell in notebook["cells"]].index(answer)
    notebook["cells"] = [
        cell
        for number, cell in enumerate(notebook["cells"])
        if (number > place or not cell["id"].startswith("test-"))
        and (master.assignment not in ("training", "pytorch") or cell["id"] not in SHOWN_ONLY)
    ]
    return notebook


def survives(notebook: Notebook, answer: str, code: str) -> bool:
    """Whether the solution with this answer still gets full marks, hidden tests included."""
    changed = copy.copy(notebook)
    changed["cells"] = [{**cell, "source": code} if cell["id"] == answer else cell for cell in notebook["cells"]]
    return all(verdict.outcome == "correct" for verdict in checks_in_turn(changed))


@pytest.mark.parametrize(
    ("assignment", "answer"),
    [
        pytest.param(assignment, answer, marks=[pytest.mark.long] if number else [])
        for assignment, answers in ANSWERS.items()
        for number, answer in enumerate(answers)
    ],
)
def test_every_small_change_of_the_solution_loses_points(assignment: str, answer: str) -> None:
    master = load_master(MASTERS / f"{assignment}.md")
    source = next(cell.source for cell in master.cells if cell.grade_id == answer)
    notebook = prepared(master, answer)
    assert survives(notebook, answer, source)
    changed = list(mutants(source))
    assert changed
    survivors = {what for what, code in changed if survives(notebook, answer, code)}
    assert survivors <= {what for name, what in EQUIVALENT if name == answer}
