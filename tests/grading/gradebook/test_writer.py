import math
from dataclasses import replace

import pytest
from nbgrader.api import Gradebook

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import SubmissionRecord, Verdict
from bncourse.grading.gradebook.records_table import from_json, kept_records, open_gradebook, to_json
from bncourse.grading.gradebook.writer import NO_RESPONSE, GradebookWriter

FINGERPRINT = "f" * 64


def record(course: Course, student: str = "ann", **points: float) -> SubmissionRecord:
    tests = [cell for cell in course.master("backward").cells if cell.kind == "test"]
    verdicts = tuple(
        Verdict(cell.grade_id, "correct", points.get(cell.grade_id.replace("-", "_"), cell.points), cell.points)
        for cell in tests
    )
    return SubmissionRecord(student, "backward", "correct", verdicts, repairs=("a repair",), notes=("a note",))


def put(course: Course, its: SubmissionRecord, attempted: tuple[str, ...] = ("closed", "proof")) -> None:
    with GradebookWriter(course, course.master("backward")) as writer:
        writer.put(its, FINGERPRINT, attempted)


def test_nbgrader_reads_what_was_written(course: Course) -> None:
    put(course, record(course, test_closed_dx=1.5))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        submission = gradebook.find_submission("backward", "ann")
        assert (submission.score, submission.max_score) == (33 - 2.5, 40)
        grade = gradebook.find_grade("test-closed-dx", "backward", "backward", "ann")
        assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (1.5, None, False)


def test_written_answers_wait_for_a_person_unless_they_are_empty(course: Course) -> None:
    put(course, record(course))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        proof = gradebook.find_grade("proof", "backward", "backward", "ann")
        assert (proof.auto_score, proof.needs_manual_grade) == (None, True)
        empty = gradebook.find_grade("answer-probes", "backward", "backward", "ann")
        assert (empty.auto_score, empty.needs_manual_grade) == (0.0, False)
        assert gradebook.find_comment("answer-probes", "backward", "backward", "ann").comment == NO_RESPONSE
        assert gradebook.find_comment("proof", "backward", "backward", "ann").comment is None


def test_points_and_comments_given_by_hand_survive_a_regrade(course: Course) -> None:
    put(course, record(course))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        gradebook.find_grade("proof", "backward", "backward", "ann").manual_score = 3.5
        grade = gradebook.find_grade("test-closed-dx", "backward", "backward", "ann")
        grade.manual_score, grade.extra_credit = 2.0, 0.5
        gradebook.find_comment("proof", "backward", "backward", "ann").manual_comment = "Well said."
        gradebook.db.commit()
    put(course, record(course, test_closed_dx=0.0))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        assert gradebook.find_grade("proof", "backward", "backward", "ann").score == 3.5
        grade = gradebook.find_grade("test-closed-dx", "backward", "backward", "ann")
        assert (grade.auto_score, grade.score, grade.needs_manual_grade) == (0.0, 2.5, True)
        assert gradebook.find_comment("proof", "backward", "backward", "ann").comment == "Well said."


@pytest.mark.parametrize("points", [-0.5, 4.5, math.nan, math.inf])
def test_a_score_outside_of_its_bounds_is_never_written(course: Course, points: float) -> None:
    with pytest.raises(ValueError, match="Expected 0 to 4"):
        put(course, record(course, test_closed_dx=points))
    assert kept_records(course, "backward") == {}


@pytest.mark.parametrize("cell", ["proof", "closed", "nothing"])
def test_only_test_cells_can_be_scored(course: Course, cell: str) -> None:
    its = replace(record(course), verdicts=(Verdict(cell, "correct", 1.0, 1.0),))
    with pytest.raises(ValueError, match="not a test cell"):
        put(course, its)


def test_what_needs_a_look_is_flagged(course: Course) -> None:
    put(course, replace(record(course), status="repaired"))
    put(course, record(course, "ben"))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        flags = {s.student.id: s.flagged for s in gradebook.notebook_submissions("backward", "backward")}
    assert flags == {"ann": True, "ben": False}


def test_records_come_back_as_they_were(course: Course) -> None:
    its = record(course, test_closed_dx=1.25)
    put(course, its)
    kept = kept_records(course, "backward")["ann"]
    assert kept.record == its
    assert kept.fingerprint == FINGERPRINT


def test_a_record_of_a_later_version_can_be_read(course: Course) -> None:
    text = to_json(record(course)).replace('{"assignment"', '{"unheard_of": 1, "assignment"')
    assert from_json(text) == record(course)
    earlier = to_json(replace(record(course), status="repaired")).replace("repaired", "tampered")
    assert from_json(earlier).status == "repaired"


def test_a_gradebook_without_the_assignment_is_refused(course: Course) -> None:
    elsewhere = replace(course, db_url=f"sqlite:///{course.root}/other.db")
    with pytest.raises(CourseError, match="bncourse release backward"):
        GradebookWriter(elsewhere, course.master("backward")).__enter__()


def test_a_gradebook_that_cannot_be_reached_is_named_without_its_password(course: Course) -> None:
    elsewhere = replace(course, db_url="postgresql://bn:secret@127.0.0.1:1/grades")
    with pytest.raises(CourseError, match="cannot be opened") as refused:
        open_gradebook(elsewhere)
    assert "secret" not in str(refused.value)


def test_a_late_submission_loses_what_the_rule_says(course: Course) -> None:
    folder = course.folder("submitted", "backward", "ann")
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2027-02-14 23:59:00 UTC")
    seen = []

    def rule(student: str, score: float, seconds: float) -> float:
        seen.append((student, score, seconds))
        return 1000.0

    with GradebookWriter(course, course.master("backward"), rule) as writer:
        writer.put(record(course), FINGERPRINT, [])
    assert seen == [("ann", 33.0, 2 * 86400)]
    with Gradebook(course.db_url, "bncourse") as gradebook:
        assert gradebook.find_submission("backward", "ann").late_submission_penalty == 33.0
