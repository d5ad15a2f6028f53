"""Every small change of a solution loses points, in every assignment of NumPy; `backward` has a file of its own."""

import copy
from pathlib import Path

import pytest

from bncourse.grading.masters import load_master
from bncourse.grading.records import Master
from bncourse.grading.render import source_notebook
from bncourse.grading.selfcheck import run_checks
from tests.assignments.mutation import mutants

MASTERS = Path(__file__).resolve().parents[2] / "assignments" / "masters"
ANSWERS = {
    "shift": ["weights", "fit", "standardize", "condition", "zca", "naive", "honest"],
    "forward": ["forward", "identity", "running", "start", "inference", "conv", "bias"],
    "beyond": ["layer", "group", "merge"],
}
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


def survives(master: Master, answer: str, code: str) -> bool:
    """Whether the solution with this answer still gets full marks, hidden tests included."""
    notebook = copy.deepcopy(source_notebook(master))
    for cell in notebook["cells"]:
        cell["source"] = code if cell["id"] == answer else cell["source"]
    return all(verdict.outcome == "correct" for verdict in run_checks(notebook))


@pytest.mark.parametrize(
    ("assignment", "answer"), [(a, answer) for a, answers in ANSWERS.items() for answer in answers]
)
def test_every_small_change_of_the_solution_loses_points(assignment: str, answer: str) -> None:
    master = load_master(MASTERS / f"{assignment}.md")
    source = next(cell.source for cell in master.cells if cell.grade_id == answer)
    changed = list(mutants(source))
    assert changed
    survivors = {what for what, code in changed if survives(master, answer, code)}
    assert survivors <= {what for name, what in EQUIVALENT if name == answer}
