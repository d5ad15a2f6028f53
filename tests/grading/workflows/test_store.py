"""What is graded, stamped and written of a submission is one reading of its file."""

import json
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.sample_class import load_sample_class
from bncourse.grading.authoring.sample_class import submission as file_of
from bncourse.grading.core.records import Master
from bncourse.grading.gradebook.fingerprints import Fingerprints
from bncourse.grading.gradebook.marks import marks_of
from bncourse.grading.gradebook.records_table import kept_records
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.submission import Submission
from bncourse.grading.workflows import submission_process
from bncourse.grading.workflows.grade import grade_changed, grade_class
from bncourse.grading.workflows.store import CourseStore, DryStore
from bncourse.grading.workflows.submission_process import SubmissionProcess
from tests.grading.everything_wrong import EverythingWrong


class Overtaken(EverythingWrong):
    """An engine in whose time each student hands in another file."""

    def __init__(self, course: Course) -> None:
        self.course, self.digests = course, list[str]()

    def meet(self, master: Master, submission: Submission) -> None:
        self.digests.append(submission.digest)
        path = self.course.notebook("submitted", master.assignment, submission.student)
        path.write_bytes(b"another file")
        path.with_name("timestamp.txt").write_text("2027-03-02 12:00:00 UTC")


@pytest.fixture
def ada(course: Course) -> Course:
    """A course in which Ada has handed in."""
    found = load_sample_class(course, "backward")
    master = course.master("backward")
    student = next(each for each in found.students if each.id == "ada")
    released = json.loads(course.notebook("release", "backward").read_bytes())
    path = course.notebook("submitted", "backward", "ada")
    path.parent.mkdir(parents=True)
    path.write_bytes(file_of(student, master, released, found.written, 0))
    return course


def test_a_file_that_is_replaced_while_it_is_graded_is_graded_again(ada: Course) -> None:
    before = ada.notebook("submitted", "backward", "ada").read_bytes()
    engine: Any = Overtaken(ada)
    assert grade_class(ada, "backward", grader=lambda: engine).graded == 1
    assert engine.digests == [HandedIn(before).digest]
    stamped = kept_records(ada, "backward")["ada"].fingerprint
    assert stamped == Fingerprints(ada.master("backward")).of(HandedIn(before).digest)
    assert grade_class(ada, "backward", grader=lambda: engine).graded == 1
    assert engine.digests == [HandedIn(before).digest, HandedIn(b"another file").digest]


def time_of(course: Course, student: str) -> str:
    """When the gradebook says that a student has handed in."""
    return str(marks_of(course, "backward")[student].handed_in)


def test_the_time_in_the_gradebook_is_that_of_the_file_that_was_graded(ada: Course) -> None:
    beside = ada.folder("submitted", "backward", "ada") / "timestamp.txt"
    beside.write_text("2027-02-01 12:00:00 UTC")
    engine: Any = Overtaken(ada)
    for graded, time in ((1, "2027-02-01"), (1, "2027-03-02"), (0, "2027-03-02")):
        assert grade_class(ada, "backward", grader=lambda: engine).graded == graded
        assert time_of(ada, "ada").startswith(time)
    copy = ada.folder("autograded", "backward", "ada") / "timestamp.txt"
    assert copy.read_text().startswith("2027-03-02")


def test_a_time_that_is_corrected_counts_although_the_file_has_not_changed(ada: Course) -> None:
    beside = ada.folder("submitted", "backward", "ada") / "timestamp.txt"
    for graded, time in ((1, "2027-02-01"), (0, "2027-02-27"), (0, "2027-02-03")):
        beside.write_text(f"{time} 12:00:00 UTC")
        engine: Any = EverythingWrong()
        assert grade_class(ada, "backward", grader=lambda: engine).graded == graded  # noqa: B023
        assert time_of(ada, "ada").startswith(time)


def test_a_submission_is_read_once(ada: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    find, log = submission_process.handed_in, tmp_path / "found"

    def counted(course: Course, master: Master, student: str) -> HandedIn:
        with log.open("a") as file:  # in the process that reads
            file.write(f"{student}\n")
        return find(course, master, student)

    monkeypatch.setattr(submission_process, "handed_in", counted)
    engine: Any = Overtaken(ada)
    grade_class(ada, "backward", grader=lambda: engine)
    assert log.read_text() == "ada\n"


def test_a_dry_run_writes_nothing(ada: Course) -> None:
    master = ada.master("backward")
    with SubmissionProcess(ada, master) as process, CourseStore(ada, master, process):
        pass  # which makes the table
    before = {
        path: path.read_bytes() for path in ada.root.rglob("*") if path.is_file() and "submitted" not in path.parts
    }
    store, engine = DryStore({}), Overtaken(ada)
    made: Any = lambda: engine  # noqa: E731
    with SubmissionProcess(ada, master) as process:
        assert grade_changed(store, process, ["ada"], grader=made) == 1
    assert list(store.records) == ["ada"]
    after = {
        path: path.read_bytes() for path in ada.root.rglob("*") if path.is_file() and "submitted" not in path.parts
    }
    assert after == before
