"""A submission and its record in; notebook and gradebook written, or, in a dry run, nothing."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Protocol, Self

from bncourse.grading.authoring.course import Course, write
from bncourse.grading.core.records import Master, SubmissionRecord
from bncourse.grading.gradebook.fingerprints import Fingerprints
from bncourse.grading.gradebook.late_penalty import enter_times, late_penalty, update_penalties
from bncourse.grading.gradebook.records_table import Kept
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.submissions.beside import handed_in_at, small_file
from bncourse.grading.submissions.submission import Submission
from bncourse.grading.workflows.release import load_release
from bncourse.grading.workflows.submission_process import SubmissionProcess

TIMESTAMP = "timestamp.txt"
FOR_EXCHANGE = (TIMESTAMP, "submission_secret.txt")
"""Beside a notebook: when it was handed in, and what nbgrader's exchange knows the hand-in by."""


class Store(Protocol):
    """Takes in records, and says what it holds."""

    def known(self, student: str) -> str:
        """The fingerprint of what was graded of a student before; empty where there is none."""
        ...

    def look_beside(self, student: str) -> None:
        """Read what lies beside a student's file, which was found a moment ago."""
        ...

    def write(self, submission: Submission, record: SubmissionRecord) -> None:
        """Take in what became of a submission."""
        ...


class CourseStore:
    """The gradebook and the autograded notebooks; use it as a context manager.

    Parameters
    ----------
    course : Course
    master : Master
    process : SubmissionProcess
        Makes the notebooks.

    Raises
    ------
    CourseError
        If the assignment is not released as its master is now, or the gradebook cannot be written.
    """

    def __init__(self, course: Course, master: Master, process: SubmissionProcess) -> None:
        self.course, self.master, self.process = course, master, process
        load_release(course, master.assignment)  # refuses at once where it is not the master's
        late_penalty(course)  # refuses at once where the rule cannot be used
        self.gradebook = GradebookWriter(course, master)
        self._beside: dict[str, dict[str, bytes]] = {}
        """By student, what lay beside the file when that was found: a later one belongs to another file."""

    def __enter__(self) -> Self:
        self.gradebook.__enter__()
        self._known = self.gradebook.known()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gradebook.__exit__(kind, error, trace)
        times = {student: handed_in_at(files[TIMESTAMP]) for student, files in self._beside.items()}
        enter_times(self.course, self.master.assignment, {student: time for student, time in times.items() if time})
        update_penalties(self.course, self.master.assignment)

    def members(self, students: Iterable[str]) -> list[str]:
        """Those of these students who have not left the class."""
        gone = self.gradebook.dropped()
        return [student for student in students if student not in gone]

    def known(self, student: str) -> str:
        """The fingerprint of what was graded before, where its notebook is there too."""
        notebook = self.course.notebook("autograded", self.master.assignment, student)
        return self._known.get(student, "") if notebook.is_file() else ""

    def look_beside(self, student: str) -> None:
        """Read the time, and what the exchange knows the file by; of a file that has not changed, too."""
        self._beside[student] = {
            name: small_file(self.course, self.master.assignment, student, name) for name in FOR_EXCHANGE
        }

    def graded(self, students: Iterable[str]) -> list[str]:
        """Those of whom something was graded before."""
        return [student for student in students if self._known.get(student)]

    def graded_another_way(self, students: Iterable[str], way: Fingerprints) -> list[str]:
        """Those whose grades come from another master, grader or library."""
        return [student for student in self.graded(students) if way.is_another_way(self._known[student])]

    def write(self, submission: Submission, record: SubmissionRecord) -> None:
        """Write the notebook that graders see, and what nbgrader needs beside it; then the gradebook."""
        notebook, record = self.process.show(submission, record)
        folder = self.course.folder("autograded", self.master.assignment, record.student)
        write(folder / f"{self.master.assignment}.ipynb", notebook)
        if record.student not in self._beside:
            self.look_beside(record.student)
        for name, content in self._beside[record.student].items():
            if content:
                write(folder / name, content)
        self.gradebook.write(submission, record)


class DryStore:
    """Keeps records in memory, and writes nothing."""

    def __init__(self, kept: Mapping[str, Kept]) -> None:
        self._kept = kept
        self.records: dict[str, SubmissionRecord] = {}
        """What was graded now, by student."""

    def known(self, student: str) -> str:
        """The fingerprint of what was graded before."""
        return self._kept[student].fingerprint if student in self._kept else ""

    def look_beside(self, student: str) -> None:
        """Nothing is entered, so nothing need be known."""

    def write(self, submission: Submission, record: SubmissionRecord) -> None:
        """Keep the record for as long as this is kept."""
        self.records[submission.student] = record
