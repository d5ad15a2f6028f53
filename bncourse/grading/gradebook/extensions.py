"""More time for one student: kept before anything is handed in, and entered where nbgrader looks for it afterwards."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sql
from nbgrader.api import Assignment, Student, SubmittedAssignment

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.gradebook.records_table import EXTENSIONS, open_gradebook


def extend(course: Course, assignment: str, student: str, until: datetime | None) -> None:
    """Let a student hand in an assignment until a time of their own, in the place of what they had.

    Parameters
    ----------
    course, assignment, student
    until : datetime or None
        With its zone; None for the due date that holds for everybody.

    Raises
    ------
    CourseError
        If there is no such student, the assignment has no due date here, or the time is not later than it.
    """
    with contextlib.closing(open_gradebook(course)) as gradebook:
        session = gradebook.db
        if session.get(Student, student) is None:
            raise CourseError(f"There is no student {student!r} in the gradebook. See: bncourse roster export")
        entry = session.query(Assignment).filter(Assignment.name == assignment).one_or_none()
        if entry is None or entry.duedate is None:
            raise CourseError(f"{assignment} has no due date here. Type first: bncourse release {assignment}")
        time = until and until.astimezone(UTC).replace(tzinfo=None)
        if time is not None and time <= entry.duedate:
            raise CourseError(
                f"{time:%Y-%m-%d %H:%M} UTC is not later than the due date, {entry.duedate:%Y-%m-%d %H:%M} UTC."
            )
        own = (EXTENSIONS.c.assignment == assignment) & (EXTENSIONS.c.student == student)
        session.execute(sql.delete(EXTENSIONS).where(own))
        if time is not None:
            session.execute(sql.insert(EXTENSIONS).values(assignment=assignment, student=student, until=time))
        else:
            for each in session.query(SubmittedAssignment).filter_by(assignment_id=entry.id, student_id=student):
                each.extension = None
        session.commit()


def enter_extensions(gradebook: Any, assignment: str) -> None:
    """Enter what students were given where nbgrader looks for it: with their submissions, as they are now."""
    session = gradebook.db
    query = (
        session.query(SubmittedAssignment, Assignment.duedate, EXTENSIONS.c.until)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(
            EXTENSIONS,
            (EXTENSIONS.c.assignment == Assignment.name) & (EXTENSIONS.c.student == SubmittedAssignment.student_id),
        )
        .filter(Assignment.name == assignment)
    )
    for submission, due, until in query.all():
        extension = until - due if due is not None and until > due else None
        if submission.extension != extension:
            submission.extension = extension
    session.commit()
