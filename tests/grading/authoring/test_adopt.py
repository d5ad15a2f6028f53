"""Assignments of other courses, written in the form of nbgrader's own example, are graded; what cannot be is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.adopt import adopt
from bncourse.grading.authoring.masters import MasterError, load_master
from bncourse.grading.core.install import Source
from bncourse.grading.engine.grader import Grader

DUE = "2027-03-01 22:59:00 UTC"
CUBES = """\
def cubes(n):
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError("n must be at least 1")
    return [i**3 for i in range(1, n + 1)]
    ### END SOLUTION"""
TOTAL = "def total_of_cubes(n):\n    return sum(cubes(n))"
TEST_CUBES = """\
assert cubes(1) == [1]
assert cubes(3) == [1, 8, 27]
### BEGIN HIDDEN TESTS
assert cubes(5)[-1] == 125
### END HIDDEN TESTS"""
TEST_ERROR = """\
try:
    cubes(0)
except ValueError:
    pass
else:
    raise AssertionError("cubes(0) must raise a ValueError")"""
TEST_USES = """\
kept = cubes
del cubes
try:
    total_of_cubes(2)
except NameError:
    pass
else:
    raise AssertionError("total_of_cubes must call cubes")
finally:
    cubes = kept"""
TEST_TOTAL = "assert total_of_cubes(3) == 36\nassert np.isclose(scale * total_of_cubes(1), 2)"


def cell(source: str, kind: str = "code", **facts: Any) -> dict[str, Any]:
    rest = {"execution_count": None, "outputs": []} if kind == "code" else {}
    flags = {"grade": False, "solution": False, "locked": False, "schema_version": 3, **facts} if facts else None
    metadata = {"nbgrader": flags} if flags else {}
    return {"cell_type": kind, "id": f"c{abs(hash(source)) % 10**8}", "metadata": metadata, "source": source, **rest}


def test_cell(name: str, source: str, points: float) -> dict[str, Any]:
    return cell(source, grade_id=name, grade=True, locked=True, points=points)


test_cell.__test__ = False  # type: ignore[attr-defined]


def cells() -> list[dict[str, Any]]:
    return [
        cell("# Sums of cubes\n\nWrite `cubes`, then use it.", "markdown", grade_id="jupyter", locked=True),
        cell("%matplotlib inline\nimport numpy as np"),
        cell("scale = 2", grade_id="scale", locked=True),
        cell(CUBES, grade_id="cubes", solution=True),
        test_cell("correct_cubes", TEST_CUBES, 2),
        test_cell("cubes_error", TEST_ERROR, 1),
        cell(TOTAL, grade_id="total", solution=True),
        test_cell("total_uses_cubes", TEST_USES, 1),
        test_cell("correct_total", TEST_TOTAL, 1),
        cell("Induction on n.", "markdown", grade_id="why", grade=True, solution=True, points=2),
    ]


def notebook(path: Path, content: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": content, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def answered(**answers: str) -> bytes:
    """What a student hands in: as nbgrader releases it, with these answers in the cells of these names."""
    content = cells()
    for each in content:
        name = each["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name == "correct_cubes":
            each["source"] = each["source"].split("### BEGIN")[0]
        if name in ("cubes", "total", "why"):
            each["source"] = answers.get(name, "# YOUR CODE HERE\nraise NotImplementedError()")
    return json.dumps({"cells": content, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


GOOD = CUBES.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION", "")
SUBMISSIONS = {
    "right": (answered(cubes=GOOD, total=TOTAL, why="By induction."), 5.0),
    "no error": (answered(cubes="def cubes(n):\n    return [i**3 for i in range(1, n + 1)]", total=TOTAL), 4.0),
    "by heart": (answered(cubes="def cubes(n):\n    return {1: [1], 3: [1, 8, 27]}[n]", total=TOTAL), 2.0),
    "no call": (answered(cubes=GOOD, total="def total_of_cubes(n):\n    return (n * (n + 1) // 2) ** 2"), 4.0),
    "nothing": (answered(), 0.0),
}
"""What is handed in, and the points of its code."""


@pytest.mark.sandbox
def test_an_assignment_of_another_course_is_graded(tmp_path: Path, sandbox: None) -> None:
    source = notebook(tmp_path / "source" / "ps1" / "cubes.ipynb", cells())
    (tmp_path / "masters").mkdir()
    options = ["--course", str(tmp_path), "--masters", str(tmp_path / "masters"), "--due", "2027-03-01"]
    done = CliRunner().invoke(main, ["adopt", str(source), *options])
    assert done.exit_code == 0 and "7 points" in done.output, done.output
    again = CliRunner().invoke(main, ["adopt", str(source), *options])
    assert again.exit_code == 2 and "is there already" in again.stderr
    master = load_master(tmp_path / "masters" / "cubes.md", installed_from=Source())
    assert (master.title, master.imports, master.metadata["due"]) == (
        "Sums of cubes",
        ("numpy",),
        "2027-03-01 23:59:00 UTC",
    )
    with Grader(jobs=1) as grader:
        for name, (raw, deserved) in SUBMISSIONS.items():
            record = grader.grade(master, name, raw)
            assert (record.score, record.repairs, record.reason) == (deserved, (), ""), name
            assert "125" not in " ".join(verdict.message for verdict in record.verdicts)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (cell("x = 1", grade_id="by-hand", grade=True, solution=True, points=3), "by-hand is code that a person marks"),
        (cell("Do it.", "markdown", grade_id="do", task=True, points=3), "do is a task"),
        (cell("assert True", grade_id="free", grade=True, locked=True, points=0), "free has no points"),
        (cell("%%bash\nls"), "given-11"),
        (cell("### BEGIN SOLUTION\nx = 1", grade_id="open", solution=True), "open: BEGIN SOLUTION has no END"),
    ],
)
def test_what_cannot_be_graded_is_refused_with_the_names_of_the_cells(
    tmp_path: Path, extra: dict[str, Any], said: str
) -> None:
    with pytest.raises(MasterError, match=said):
        adopt(notebook(tmp_path / "cubes.ipynb", [*cells(), extra]), DUE)


def test_a_released_version_and_what_is_no_notebook_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MasterError, match="instructor's version"):
        adopt(notebook(tmp_path / "empty.ipynb", [cell("x = 1")]), DUE)
    path = tmp_path / "text.ipynb"
    path.write_text("no notebook")
    with pytest.raises(MasterError, match="cannot be read as a notebook"):
        adopt(path, DUE)
    with pytest.raises(MasterError, match="cannot be an assignment's name"):
        adopt(notebook(tmp_path / "1 2.ipynb", cells()), DUE)
