"""Every assignment's sample class gets exactly the marks that its file states, from the real engine."""

import json
from pathlib import Path

import pytest

from bncourse.grading.course import find_course
from bncourse.grading.engine import Grader
from bncourse.grading.masters import list_masters, load_master
from bncourse.grading.release import release
from bncourse.grading.render import release_notebook
from bncourse.grading.sample_class import load_sample_class, submission
from bncourse.grading.selfcheck import run_checks

MASTERS = Path(__file__).resolve().parents[2] / "assignments" / "masters"
GRADED_ELSEWHERE = {"backward"}  # its class goes through the whole course in tests/grading


@pytest.mark.sandbox
@pytest.mark.xdist_group("classes")
@pytest.mark.parametrize("assignment", sorted(set(list_masters(MASTERS)) - GRADED_ELSEWHERE))
def test_the_class_gets_the_marks_that_its_code_deserves(assignment: str, sandbox: None, tmp_path: Path) -> None:
    course = find_course(tmp_path / "course", MASTERS)
    master, sample = course.master(assignment), load_sample_class(course, assignment)
    release(course, assignment)
    released = json.loads(course.notebook("release", assignment).read_bytes())
    raw = [(student.id, submission(student, master, released, sample.written, 1)) for student in sample.students]
    with Grader(jobs=2) as grader:
        records = {record.student: record for record in grader.grade_many(master, raw)}
    for student in sample.students:
        record = records[student.id]
        found = {
            verdict.grade_id: verdict.max_points - verdict.points for verdict in record.verdicts if verdict.max_points
        }
        lost = {name: points for name, points in found.items() if points}
        if student.begins == "solution":
            assert lost == student.lost, f"{student.id}, who {student.story}"
        assert (record.status, record.score) == (student.status, student.deserves(master)), student.id
    assert sum(student.status == "correct" for student in sample.students) >= 5, "right code in at least five styles"


@pytest.mark.parametrize("assignment", list_masters(MASTERS))
def test_who_knows_only_the_visible_tests_passes_all_of_them_and_no_hidden_one(assignment: str) -> None:
    """The marks of these students, hidden tests included, are in `lost`, which the engine's test asserts."""
    master = load_master(MASTERS / f"{assignment}.md")
    sample = load_sample_class(find_course(Path("nowhere"), MASTERS), assignment)
    student = next(student for student in sample.students if "by heart" in student.story)
    verdicts = run_checks(json.loads(submission(student, master, release_notebook(master), sample.written, 1)))
    assert [(verdict.grade_id, verdict.message) for verdict in verdicts if verdict.outcome != "correct"] == []
    assert sum(student.lost.values()) >= 10
