"""The gradebook in; a line for each student and assignment out: the score, and what there is to know about it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sql
from nbgrader.api import Assignment, Grade, GradeCell, Notebook, Student, SubmittedAssignment, SubmittedNotebook

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.gradebook.records_table import dropped_students, open_gradebook, some_records

CHUNK = 500
"""Records that are held in memory at once."""


@dataclass(frozen=True)
class Line:
    """One student's result in one assignment, points given by hand and late penalties included."""

    student: str
    name: str
    lms_id: str
    assignment: str
    score: float
    max_score: float
    to_mark: bool
    """Whether something still waits to be marked by hand."""
    record: SubmissionRecord | None
    late: float = 0.0
    """Points taken off because it was handed in late."""
    gone: bool = False
    """Whether the submission is not there any more, and its grade still is."""
    absent: bool = False
    """Whether nothing was handed in."""
    ungraded: bool = False
    """Whether something was handed in and never graded."""
    first: str = ""
    last: str = ""
    email: str = ""


def lines_of(course: Course, assignment: str | None = None) -> list[Line]:
    """The gradebook's content, by assignment and student."""
    return list(each_line(course, assignment))


def each_line(course: Course, assignment: str | None = None) -> Iterator[Line]:
    """The same, one by one, so that a class of any size fits into memory."""
    gradebook = open_gradebook(course)
    try:
        dropped = dropped_students(gradebook)
        rows = [row for row in gradebook.db.execute(_summed(assignment)).all() if row.id not in dropped]
        rows.sort(key=lambda row: (row.assignment, row.id))
        gradebook.db.commit()
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            records = some_records(gradebook.engine, {(row.assignment, row.id) for row in chunk})
            for row in chunk:
                yield Line(
                    **_person(row),
                    assignment=row.assignment,
                    score=max(0.0, (row.score or 0.0) - (row.penalty or 0.0)),
                    max_score=row.highest or 0.0,
                    to_mark=bool(row.to_mark),
                    record=records.get((row.assignment, row.id)),
                    late=row.penalty or 0.0,
                    gone=not os.path.lexists(course.folder("submitted", row.assignment, row.id)),
                )
    finally:
        gradebook.close()


def class_lines(course: Course, assignment: str) -> list[Line]:
    """The whole class's results in one assignment: also of students who handed in nothing, with no points.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded.
    """
    lines = lines_of(course, assignment)
    if not lines:
        raise CourseError(f"Nothing of {assignment} has been graded. Type first: bncourse grade {assignment}")
    known, highest = {line.student for line in lines}, lines[0].max_score
    gradebook = open_gradebook(course)
    try:
        known |= dropped_students(gradebook)
        students = gradebook.db.execute(sql.select(*_PERSON).order_by(Student.id)).all()
    finally:
        gradebook.close()
    handed_in = set(course.students(assignment))
    for row in students:
        if row.id not in known:
            there = row.id in handed_in
            nothing = Line(
                **_person(row), assignment=assignment, score=0.0, max_score=highest, to_mark=False, record=None
            )
            lines.append(replace(nothing, absent=not there, ungraded=there))
    return sorted(lines, key=lambda line: line.student)


_PERSON = (Student.id, Student.first_name, Student.last_name, Student.email, Student.lms_user_id)


def _person(row: Any) -> dict[str, Any]:
    """What the gradebook says about a student."""
    first, last = row.first_name or "", row.last_name or ""
    name = " ".join(filter(None, [first, last]))
    facts = {"student": row.id, "name": name, "first": first, "last": last}
    return {**facts, "email": row.email or "", "lms_id": row.lms_user_id or ""}


def _summed(assignment: str | None) -> Any:
    """One row a submission. Nbgrader's own sums ask once for each row, which takes hours for a large class."""
    notebook = SubmittedNotebook.__table__.c
    grades = (
        sql.select(
            notebook.assignment_id,
            sql.func.sum(Grade.score).label("score"),
            sql.func.max(sql.case((Grade.needs_manual_grade, 1), else_=0)).label("to_mark"),
        )
        .join(Grade, Grade.notebook_id == notebook.id)
        .group_by(notebook.assignment_id)
        .subquery()
    )
    penalties = (
        sql.select(notebook.assignment_id, sql.func.sum(notebook.late_submission_penalty).label("penalty"))
        .group_by(notebook.assignment_id)
        .subquery()
    )
    points = (
        sql.select(Notebook.assignment_id, sql.func.sum(GradeCell.max_score).label("highest"))
        .join(GradeCell, GradeCell.notebook_id == Notebook.id)
        .group_by(Notebook.assignment_id)
        .subquery()
    )
    query = (
        sql.select(*_PERSON)
        .add_columns(Assignment.name.label("assignment"), grades.c.score, grades.c.to_mark)
        .add_columns(penalties.c.penalty, points.c.highest)
        .join(SubmittedAssignment, SubmittedAssignment.student_id == Student.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(grades, grades.c.assignment_id == SubmittedAssignment.id)
        .join(penalties, penalties.c.assignment_id == SubmittedAssignment.id)
        .join(points, points.c.assignment_id == Assignment.id)
    )
    return query if assignment is None else query.where(Assignment.name == assignment)
