"""A student's id in; their `Submission`, and later the notebook that graders see, out, made where it can be ended.

All that parses or searches what students wrote runs in a `LimitedProcess`: finding the file, reading it, and making the
graded notebook of it. What is ended there is "unreadable", or "needs review", with its reason, and the run goes on.
"""

from dataclasses import replace
from typing import Any

from bncourse.grading.authoring.course import Course
from bncourse.grading.core import render
from bncourse.grading.core.cached import cached_property
from bncourse.grading.core.plain_text import one_line
from bncourse.grading.core.records import Master, SubmissionRecord
from bncourse.grading.reports.autograded import autograded_notebook
from bncourse.grading.sandbox.limited_process import CallEnded, LimitedProcess
from bncourse.grading.submissions.attempted import added_cells
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.read import Reading
from bncourse.grading.submissions.submission import Submission, submission_of
from bncourse.grading.submissions.upgrade import handed_in
from bncourse.grading.workflows.release import load_release


class SubmissionProcess(LimitedProcess):
    """Reads and shows what students handed in for an assignment; use it as a context manager.

    Parameters
    ----------
    course : Course
    master : Master
    """

    def __init__(self, course: Course, master: Master) -> None:
        super().__init__({"find": self._find, "read": self._read, "show": self._show})
        self.course, self.master = course, master
        self._found: tuple[str, HandedIn] = "", HandedIn(b"")
        """In the other process: whose file was found last, and the file."""
        self._why = ""

    def find(self, student: str) -> str:
        """Find what a student handed in, which `read` reads then; returns its digest, empty where that failed."""
        self._why = ""
        try:
            digest: str = self.call("find", student)
        except CallEnded as error:
            self._why = f"the folder cannot be read: {one_line(str(error), 200)}"
            return ""
        return digest

    def read(self, student: str, digest: str) -> Submission:
        """Read the file that was found last, with the digest that it had."""
        why = self._why
        if not why:
            try:
                submission: Submission = self.call("read", student)
            except CallEnded as error:
                why = f"the file cannot be read: {one_line(str(error), 200)}"
                digest = digest if error.for_good else ""
            else:
                return submission
        return Submission(student, Reading({}, (), why), digest)

    def submission(self, student: str) -> Submission:
        """What a student handed in."""
        return self.read(student, self.find(student))

    def show(self, submission: Submission, record: SubmissionRecord) -> tuple[bytes, SubmissionRecord]:
        """The notebook that graders see; where it cannot be made, one without the student's text, and a reason more."""
        try:
            shown: bytes = self.call("show", submission, record)
        except CallEnded as error:
            reason = f"it cannot be shown ({one_line(str(error), 200)}); see the file that was handed in"
            record = replace(record, status="needs review", reason="; ".join(filter(None, [record.reason, reason])))
            notebook = autograded_notebook(self._released, replace(record, outputs=()), {}, ())
            return render.as_compact_bytes(notebook), record
        return shown, record

    # --- what runs in the other process ---

    def _find(self, student: str) -> str:
        self._found = student, handed_in(self.course, self.master, student)
        return self._found[1].digest

    def _read(self, student: str) -> Submission:
        if self._found[0] != student:  # another process has found it, and was replaced since
            self._find(student)
        return submission_of(self.master, student, self._found[1])

    def _show(self, submission: Submission, record: SubmissionRecord) -> bytes:
        return render.as_compact_bytes(graded_notebook(self._released, submission, record))

    @cached_property
    def _released(self) -> dict[str, Any]:
        return load_release(self.course, self.master.assignment)


def graded_notebook(released: dict[str, Any], submission: Submission, record: SubmissionRecord) -> render.Notebook:
    """The notebook that graders and students see of a submission."""
    reading = submission.reading
    return autograded_notebook(released, record, reading.answers, added_cells(reading), reading.pictures)
