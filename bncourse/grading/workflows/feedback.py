"""A graded assignment in; feedback pages out, for students whose notebook, points or comments changed."""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.core.plain_text import one_line
from bncourse.grading.gradebook.late_penalty import update_penalties
from bncourse.grading.gradebook.marks import Marks, marks_of
from bncourse.grading.reports.book_address import book_address
from bncourse.grading.reports.feedback_page import feedback_page, page_digest, without_own_text
from bncourse.grading.sandbox.limited_process import CallEnded, LimitedProcess
from bncourse.grading.workflows.store import FOR_EXCHANGE


def make_feedback(course: Course, assignment: str, progress: Callable[[], Any] | None = None) -> list[str]:
    """Make the feedback pages that are missing or out of date; returns the students they are for.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded.
    """
    course.master(assignment)
    update_penalties(course, assignment)
    marks = marks_of(course, assignment)
    stamps = _stamps(course, assignment, marks)
    if not stamps:
        raise CourseError(f"Nothing of {assignment} has been graded. Type first: bncourse grade {assignment}")
    path = course.results(assignment) / "feedback.json"
    stale = _stale(course, assignment, stamps)
    if stale:
        folder = course.root / "feedback"
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, "nothing can be written there", str(folder))
        book = book_address(course)
        with PageProcess(lambda student: (_graded(course, assignment, student), marks[student], book)) as process:
            for student in stale:
                write(_page(course, assignment, student), process.page(student))
                _copy_for_exchange(course, assignment, student)
                if progress is not None:
                    progress()
        kept = (student for student in stamps.keys() - process.again if page_exists(course, assignment, student))
        made = {student: stamps[student] for student in kept}
        write(path, json.dumps(made, sort_keys=True, indent=1).encode())
    return stale


def _copy_for_exchange(course: Course, assignment: str, student: str) -> None:
    """Put the files beside the page by which `nbgrader release_feedback` finds the hand-in that it answers."""
    graded = course.folder("autograded", assignment, student)
    for name in FOR_EXCHANGE:
        if (graded / name).is_file():
            write(course.folder("feedback", assignment, student) / name, (graded / name).read_bytes())


def _graded(course: Course, assignment: str, student: str) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(course.notebook("autograded", assignment, student).read_bytes())
    return notebook


class PageProcess(LimitedProcess):
    """Makes pages where a text that does not end in time can be ended; use it as a context manager.

    Parameters
    ----------
    parts : callable
        Returns what `feedback_page` takes for a student: the graded notebook, the marks and the book's address.
    """

    def __init__(self, parts: Callable[[str], tuple[Mapping[str, Any], Marks, str]]) -> None:
        super().__init__({"page": self._page})
        self._parts = parts
        self.again = set[str]()
        """Students whose page may be made in full another time."""

    def page(self, student: str) -> bytes:
        """The page; where it cannot be made, one that shows the marks, and nothing of what the student wrote."""
        try:
            page: bytes = self.call("page", student)
        except CallEnded as error:
            self.again |= set() if error.for_good else {student}
            notebook, marks, book = self._parts(student)
            return _encoded(without_own_text(notebook, one_line(str(error), 200)), marks, book)
        return page

    def _page(self, student: str) -> bytes:
        return _encoded(*self._parts(student))


def _encoded(notebook: Mapping[str, Any], marks: Marks, book: str) -> bytes:
    return feedback_page(notebook, marks, book).encode("utf-8", "replace")


def stale_feedback(course: Course, assignment: str) -> list[str]:
    """Students whose page is missing or out of date."""
    return _stale(course, assignment, _stamps(course, assignment, marks_of(course, assignment)))


def _stale(course: Course, assignment: str, stamps: Mapping[str, str]) -> list[str]:
    try:
        before = json.loads((course.results(assignment) / "feedback.json").read_bytes())
    except (OSError, ValueError):
        before = {}
    return [s for s, stamp in stamps.items() if before.get(s) != stamp or not page_exists(course, assignment, s)]


def page_exists(course: Course, assignment: str, student: str) -> bool:
    """Whether a student has a feedback page."""
    return _page(course, assignment, student).is_file()


def _page(course: Course, assignment: str, student: str) -> Path:
    return course.notebook("feedback", assignment, student).with_suffix(".html")


def _stamps(course: Course, assignment: str, marks: Mapping[str, Marks]) -> dict[str, str]:
    """For each graded student whose notebook is there a digest of all that the page shows."""
    look = [page_digest(), book_address(course)]
    stamps = {}
    for student, shown in marks.items():
        notebook = course.notebook("autograded", assignment, student)
        if shown.cells and notebook.is_file():
            said = json.dumps([look, asdict(shown)], sort_keys=True, default=str)
            stamps[student] = hashlib.sha256(said.encode() + notebook.read_bytes()).hexdigest()
    return stamps
