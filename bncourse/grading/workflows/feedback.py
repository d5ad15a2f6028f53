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
from bncourse.grading.gradebook.late_penalty import update_penalties
from bncourse.grading.gradebook.marks import Marks, marks_of
from bncourse.grading.reports.book_address import book_address
from bncourse.grading.reports.feedback_page import feedback_page, page_digest
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
        for student in stale:
            made_of = json.loads(course.notebook("autograded", assignment, student).read_bytes())
            page = feedback_page(made_of, marks[student], book_address(course))
            write(_page(course, assignment, student), page.encode("utf-8", "replace"))
            _copy_for_exchange(course, assignment, student)
            if progress is not None:
                progress()
        made = {student: stamp for student, stamp in stamps.items() if page_exists(course, assignment, student)}
        write(path, json.dumps(made, sort_keys=True, indent=1).encode())
    return stale


def _copy_for_exchange(course: Course, assignment: str, student: str) -> None:
    """Put the files beside the page by which `nbgrader release_feedback` finds the hand-in that it answers."""
    graded = course.folder("autograded", assignment, student)
    for name in FOR_EXCHANGE:
        if (graded / name).is_file():
            write(course.folder("feedback", assignment, student) / name, (graded / name).read_bytes())


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
