"""A notebook that was saved on Colab or in VS Code gets the marks that it would get untouched."""

import json
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.authoring.sample_class import submission
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import release_notebook
from bncourse.grading.engine.grader import Grader
from bncourse.grading.student.selfcheck import run_checks
from bncourse.grading.submissions.read import Extra, Reading, read_submission
from bncourse.grading.submissions.same_code import is_stub
from bncourse.grading.workflows.release import release
from tests.assignments.saved_elsewhere import ADDED, PLACES, as_colab_writes, saved
from tests.assignments.whole_class import MASTERS, class_of

STUB = "still as it was released"
AT_ONCE = ("backward",)
"""Whose class `make test` reads as each place saves them; the others are among the long tests."""


def graded_code(master: Master, reading: Reading) -> dict[str, str]:
    """The answers, of which those that were never begun are all alike."""
    cells = {cell.grade_id: cell for cell in master.cells}
    return {name: STUB if is_stub(cells[name], text) else text for name, text in reading.answers.items()}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "assignment",
    [pytest.param(name, marks=[] if name in AT_ONCE else pytest.mark.long) for name in list_masters(MASTERS)],
)
def test_the_same_code_is_read_from_a_notebook_that_was_saved_elsewhere(assignment: str, place: str) -> None:
    master, sample = load_master(MASTERS / f"{assignment}.md"), class_of(assignment)
    released = release_notebook(master)
    above = tuple(Extra("", text) for text in ADDED if place.startswith("Colab"))
    for student in sample.students:
        raw = submission(student, master, released, sample.written, 1)
        here, there = read_submission(master, raw), read_submission(master, saved(raw, place))
        assert there.reason == here.reason, student.id
        assert graded_code(master, there) == graded_code(master, here), student.id
        if not here.reason and not student.tests:  # a rewritten test that has lost its name is a cell of the student's
            assert there.extras == (*above, *here.extras), student.id


@pytest.mark.long
@pytest.mark.sandbox
@pytest.mark.parametrize(("assignment", "place"), [("shift", "Colab"), ("forward", "VS Code, metadata lost")])
def test_the_engine_gives_it_the_same_marks(assignment: str, place: str, sandbox: None, tmp_path: Path) -> None:
    course, sample = find_course(tmp_path / "course", MASTERS), class_of(assignment)
    release(course, assignment)
    master = course.master(assignment)
    released = json.loads(course.notebook("release", assignment).read_bytes())
    raw = [(s.id, saved(submission(s, master, released, sample.written, 1), place)) for s in sample.students]
    with Grader(jobs=2) as grader:
        records = {record.student: record for record in grader.grade_many(master, raw)}
    for student in sample.students:
        repaired = "lost" in place and student.status in ("correct", "wrong", "not attempted")
        assert records[student.id].score == student.deserves(master), student.id
        assert records[student.id].status == ("repaired" if repaired else student.status), student.id


@pytest.mark.parametrize("assignment", ["backward", "shift"])
def test_the_check_says_of_it_what_it_says_of_the_untouched_one(assignment: str) -> None:
    master, sample = load_master(MASTERS / f"{assignment}.md"), class_of(assignment)
    student = next(student for student in sample.students if student.id == "nora")
    notebook = json.loads(submission(student, master, release_notebook(master), sample.written, 1))
    here, there = run_checks(notebook), run_checks(as_colab_writes(notebook))
    assert [(v.grade_id, v.outcome, v.message) for v in here] == [(v.grade_id, v.outcome, v.message) for v in there]
    assert 0 < sum(verdict.outcome == "correct" for verdict in here) < len(here)


ON_COLAB = {"numpy": "2.0.2", "torch": "2.11.0+cu128", "click": "8.4.1", "rich": "13.9.4", "pooch": "1.9.0"}
ON_COLAB |= {"scikit-learn": "1.6.1", "matplotlib": "3.10.0", "python": "3.12"}
"""What was installed there in June 2026."""


def test_what_students_install_replaces_nothing_that_colab_has_loaded() -> None:
    project = tomllib.loads((MASTERS.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["cli"], *extras["torch"], *extras["data"]]
    asked += [f"python{project['requires-python']}"]
    wanted = [Requirement(line) for line in asked]
    assert {one.name for one in wanted} >= {"numpy", "click", "rich", "torch", "python"}
    assert [str(one) for one in wanted if ON_COLAB[one.name] not in one.specifier] == []
