"""One student's text that does not end in time, crashes or grows costs nobody else anything, at every step."""

import os
import shutil
import signal
from typing import Any

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.core.records import Master, SubmissionRecord
from bncourse.grading.gradebook.records_table import kept_records
from bncourse.grading.reports import autograded
from bncourse.grading.sandbox import limited_process
from bncourse.grading.submissions import submission
from bncourse.grading.workflows import feedback, submission_process
from bncourse.grading.workflows.feedback import make_feedback
from bncourse.grading.workflows.grade import grade_class
from tests.grading.everything_wrong import EverythingWrong
from tests.grading.odd_text import ENDINGS, LIMITS, MARK, spoiled

STUDENTS = ["ada", "eve", "zoe"]


@pytest.fixture
def handed_in(course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Three students have handed in, one of them a text that something does not stand."""
    monkeypatch.setattr(limited_process.LimitedProcess.__init__, "__kwdefaults__", LIMITS)
    released = course.notebook("release", "backward").read_text()
    for student in STUDENTS:
        path = course.notebook("submitted", "backward", student)
        path.parent.mkdir(parents=True)
        path.write_text(released.replace("YOUR ANSWER HERE", MARK if student == "eve" else "Because."))
    return course


def graded(course: Course) -> dict[str, SubmissionRecord]:
    engine: Any = EverythingWrong()
    assert grade_class(course, "backward", grader=lambda: engine).graded == len(STUDENTS)
    return {student: kept.record for student, kept in kept_records(course, "backward").items()}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_on_which_reading_goes_wrong_is_unreadable_with_its_reason(
    handed_in: Course, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(submission, "read_submission", spoiled(submission.read_submission, ending))
    records = graded(handed_in)
    assert [records[student].status for student in STUDENTS] == ["wrong", "unreadable", "wrong"]
    assert ENDINGS[ending][1] in records["eve"].reason
    engine: Any = EverythingWrong()
    assert grade_class(handed_in, "backward", grader=lambda: engine).graded == 0


def test_a_folder_on_which_the_search_goes_wrong_is_unreadable_and_looked_at_again(
    handed_in: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = submission_process.handed_in

    def does(course: Course, master: Master, student: str) -> Any:
        return os.kill(os.getpid(), signal.SIGSEGV) if student == "eve" else find(course, master, student)

    monkeypatch.setattr(submission_process, "handed_in", does)
    records = graded(handed_in)
    assert [records[student].status for student in STUDENTS] == ["wrong", "unreadable", "wrong"]
    assert "the folder cannot be read" in records["eve"].reason
    monkeypatch.setattr(submission_process, "handed_in", find)
    engine: Any = EverythingWrong()
    assert grade_class(handed_in, "backward", grader=lambda: engine).graded == 1
    assert kept_records(handed_in, "backward")["eve"].record.status == "wrong"


def test_a_process_that_was_replaced_finds_the_file_again(handed_in: Course) -> None:
    with submission_process.SubmissionProcess(handed_in, handed_in.master("backward")) as process:
        digest = process.find("ada")
        whole = process.read("ada", digest)
        process.find("ada")
        process._drop()  # as after a call by which it has grown
        again = process.read("ada", digest)
    assert (again.digest, again.reading.reason) == (digest, "")
    assert again.reading.answers == whole.reading.answers and whole.reading.answers


def test_a_text_on_which_the_graded_notebook_goes_wrong_needs_review(
    handed_in: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autograded, "safe_markdown", spoiled(autograded.safe_markdown, "crashes"))
    records = graded(handed_in)
    assert [records[student].status for student in STUDENTS] == ["wrong", "needs review", "wrong"]
    assert "it cannot be shown (it ended its process (SIGSEGV))" in records["eve"].reason
    shown = {name: handed_in.notebook("autograded", "backward", name).read_text() for name in STUDENTS}
    assert "Because." in shown["ada"] and MARK not in shown["eve"] and "cannot be shown" in shown["eve"]


def test_a_text_on_which_the_page_goes_wrong_leaves_the_marks_on_it(
    handed_in: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded(handed_in)
    monkeypatch.setattr(feedback, "_encoded", lambda *parts: spoiled(lambda *_: ENCODED(*parts), "crashes")(parts[0]))
    assert make_feedback(handed_in, "backward") == STUDENTS
    pages = {
        name: handed_in.notebook("feedback", "backward", name).with_suffix(".html").read_text() for name in STUDENTS
    }
    assert "Because." in pages["ada"] and "Because." in pages["zoe"]
    assert MARK not in pages["eve"] and "What you wrote is not shown on this page" in pages["eve"]
    assert pages["eve"].count("wrong") == pages["ada"].count("wrong") > 0


ENCODED = feedback._encoded


def test_a_student_s_folder_that_goes_away_meanwhile_is_a_reason(handed_in: Course) -> None:
    master = handed_in.master("backward")
    with submission_process.SubmissionProcess(handed_in, master) as process:
        assert not process.submission("ada").reading.reason
        shutil.rmtree(handed_in.folder("submitted", "backward", "ada"))
        assert "cannot be read" in process.submission("ada").reading.reason
