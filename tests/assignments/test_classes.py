"""Every assignment's sample class gets exactly the marks that its file states, from the real engine."""

import json
from pathlib import Path

import pytest

from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.authoring.sample_class import submission
from bncourse.grading.core.render import release_notebook
from bncourse.grading.student.selfcheck import run_checks
from tests.assignments.whole_class import MASTERS, graded_by_the_engine, one_at_once, who_learned_by_heart

GRADED_ELSEWHERE = {"backward"}  # its class goes through the whole course in tests/grading


@pytest.mark.sandbox
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("assignment", one_at_once(set(list_masters(MASTERS)) - GRADED_ELSEWHERE, "forward"))
def test_the_class_gets_the_marks_that_its_code_deserves(assignment: str, sandbox: None, tmp_path: Path) -> None:
    pairs = graded_by_the_engine(find_course(tmp_path / "course", MASTERS), assignment)
    for student, record in pairs:
        lost = {v.grade_id: v.max_points - v.points for v in record.verdicts if v.max_points > v.points}
        if student.begins == "solution":
            assert lost == student.lost, f"{student.id}, who {student.story}"
    assert sum(student.status == "correct" for student, _ in pairs) >= 5, "right code in at least five styles"


@pytest.mark.parametrize("assignment", list_masters(MASTERS))
def test_who_knows_only_the_visible_tests_passes_all_of_them_and_no_hidden_one(assignment: str) -> None:
    """The marks of these students, hidden tests included, are in `lost`, which the engine's test asserts."""
    master, student = load_master(MASTERS / f"{assignment}.md"), who_learned_by_heart(assignment)
    verdicts = run_checks(json.loads(submission(student, master, release_notebook(master), {}, 1)))
    assert [(verdict.grade_id, verdict.message) for verdict in verdicts if verdict.outcome != "correct"] == []
    assert sum(student.lost.values()) >= 10
