"""What is graded, stamped and written of a submission is one reading of its file."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.sample_class import load_sample_class
from bncourse.grading.authoring.sample_class import submission as file_of
from bncourse.grading.core.records import Master, SubmissionRecord, Verdict
from bncourse.grading.gradebook.fingerprints import Fingerprints
from bncourse.grading.gradebook.records_table import kept_records
from bncourse.grading.submissions import upgrade
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.submission import Submission
from bncourse.grading.workflows.grade import grade_changed, grade_class
from bncourse.grading.workflows.store import CourseStore, DryStore


class Overtaken:
    """An engine in whose time each student hands in another file."""

    def __init__(self, course: Course) -> None:
        self.course, self.contents = course, list[bytes]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def prepare(self, master: Master) -> None:
        pass

    def grade_all(
        self, master: Master, submissions: Iterable[Submission]
    ) -> Iterator[tuple[Submission, SubmissionRecord]]:
        for each in submissions:
            self.contents.append(each.file.content)
            self.course.notebook("submitted", master.assignment, each.student).write_bytes(b"another file")
            tests = [cell for cell in master.cells if cell.kind == "test"]
            verdicts = tuple(Verdict(cell.grade_id, "wrong", 0.0, cell.points) for cell in tests)
            yield each, SubmissionRecord(each.student, master.assignment, "wrong", verdicts)


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
    assert engine.contents == [before]
    stamped = kept_records(ada, "backward")["ada"].fingerprint
    assert stamped == Fingerprints(ada.master("backward")).of(HandedIn(before))
    assert grade_class(ada, "backward", grader=lambda: engine).graded == 1
    assert engine.contents == [before, b"another file"]


def test_a_submission_is_read_once(ada: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    find, folders = upgrade.find_notebook, list[Path]()

    def counted(folder: Path, assignment: str) -> HandedIn:
        folders.append(folder)
        return find(folder, assignment)

    monkeypatch.setattr(upgrade, "find_notebook", counted)
    engine: Any = Overtaken(ada)
    grade_class(ada, "backward", grader=lambda: engine)
    assert folders == [ada.folder("submitted", "backward", "ada")]


def test_a_dry_run_writes_nothing(ada: Course) -> None:
    with CourseStore(ada, ada.master("backward")):
        pass  # which makes the table
    before = {
        path: path.read_bytes() for path in ada.root.rglob("*") if path.is_file() and "submitted" not in path.parts
    }
    store, engine = DryStore({}), Overtaken(ada)
    made: Any = lambda: engine  # noqa: E731
    assert grade_changed(store, ada, ada.master("backward"), ["ada"], grader=made) == 1
    assert list(store.records) == ["ada"]
    after = {
        path: path.read_bytes() for path in ada.root.rglob("*") if path.is_file() and "submitted" not in path.parts
    }
    assert after == before
