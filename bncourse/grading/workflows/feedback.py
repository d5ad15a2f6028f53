"""A graded assignment in; nbgrader's feedback pages out, for students whose notebook, points or comments changed."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from typing import Any

import sqlalchemy as sql
from nbgrader.api import Assignment, BaseCell, Comment, Grade, SubmittedAssignment, SubmittedNotebook

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.gradebook.late_penalty import update_penalties
from bncourse.grading.gradebook.records_table import open_gradebook
from bncourse.grading.workflows.nbgrader_settings import configure


def make_feedback(course: Course, assignment: str, progress: Callable[[], Any] | None = None) -> list[str]:
    """Make the feedback pages that are missing or out of date; returns the students they are for.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded.
    """
    course.master(assignment)
    update_penalties(course, assignment)
    stamps = _stamps(course, assignment)
    if not stamps:
        raise CourseError(f"Nothing of {assignment} has been graded. Type first: bncourse grade {assignment}")
    path = course.results(assignment) / "feedback.json"
    stale = stale_feedback(course, assignment, stamps)
    if stale:
        folder = course.root / "feedback"
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, "nothing can be written there", str(folder))
        for student in stale:
            shutil.rmtree(course.folder("feedback", assignment, student), ignore_errors=True)
        _convert(course, assignment, stale, progress)
        made = {student: stamp for student, stamp in stamps.items() if page_exists(course, assignment, student)}
        write(path, json.dumps(made, sort_keys=True, indent=1).encode())
    return stale


def stale_feedback(course: Course, assignment: str, stamps: dict[str, str] | None = None) -> list[str]:
    """Students whose page is missing or out of date."""
    stamps = _stamps(course, assignment) if stamps is None else stamps
    try:
        before = json.loads((course.results(assignment) / "feedback.json").read_bytes())
    except (OSError, ValueError):
        before = {}
    return [s for s, stamp in stamps.items() if before.get(s) != stamp or not page_exists(course, assignment, s)]


def page_exists(course: Course, assignment: str, student: str) -> bool:
    """Whether a student has a feedback page."""
    return course.notebook("feedback", assignment, student).with_suffix(".html").is_file()


def _stamps(course: Course, assignment: str) -> dict[str, str]:
    """For each graded student a digest of all that the page shows."""
    gradebook = open_gradebook(course)
    shown: dict[str, list[Any]] = {}
    try:
        penalties = (
            sql.select(SubmittedAssignment.student_id, SubmittedNotebook.late_submission_penalty)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .where(Assignment.name == assignment)
        )
        for student, penalty in gradebook.db.execute(penalties):
            shown[student] = [["late", penalty]]
        needs = sql.cast(Grade.needs_manual_grade, sql.Integer)
        for kind, value in ((Grade, Grade.score), (Grade, needs), (Comment, Comment.comment)):
            query = (
                sql.select(SubmittedAssignment.student_id, BaseCell.name, value)
                .select_from(kind)
                .join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
                .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
                .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
                .join(BaseCell, BaseCell.id == kind.cell_id)
                .where(Assignment.name == assignment)
                .order_by(SubmittedAssignment.student_id, BaseCell.name)
            )
            for student, cell, content in gradebook.db.execute(query):
                shown.setdefault(student, []).append([cell, content])
    finally:
        gradebook.close()
    stamps = {}
    for student, rows in sorted(shown.items()):
        notebook = course.notebook("autograded", assignment, student)
        if notebook.is_file():
            stamps[student] = hashlib.sha256(json.dumps(rows).encode() + notebook.read_bytes()).hexdigest()
    return stamps


def _convert(course: Course, assignment: str, students: list[str], progress: Callable[[], Any] | None) -> None:
    """Have nbgrader make the pages of these students; those of whom the gradebook knows nothing have none."""
    from nbgrader.converters import GenerateFeedback, NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    class OfTheseStudents(GenerateFeedback):  # type: ignore[misc]
        def init_notebooks(self) -> None:
            super().init_notebooks()
            chosen = {self._format_source(assignment, student) for student in students}
            self.assignments: dict[str, list[str]] = {
                folder: found for folder, found in self.assignments.items() if folder in chosen
            }

    config = Config()
    configure(config, course)
    if progress is not None:
        config.GenerateFeedback.post_convert_hook = lambda **_: progress()
    directory = CourseDirectory(config=config, assignment_id=assignment)
    directory.log.setLevel("ERROR")
    try:
        OfTheseStudents(coursedir=directory, config=config).start()
    except NbGraderException as error:
        raise CourseError(
            f"nbgrader could not make all feedback of {assignment} ({' '.join(str(error).split())[:200]})."
        ) from error
