"""An assignment in; for each student the points, comments, time and penalty that the gradebook holds out."""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sql
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)

from bncourse.grading.authoring.course import Course
from bncourse.grading.gradebook.records_table import dropped_students, open_gradebook


@dataclass(frozen=True)
class Mark:
    """The points of one cell."""

    points: float
    max_points: float
    waits: bool = False
    """Whether a person has not marked it yet."""


@dataclass(frozen=True)
class Marks:
    """What the gradebook says of one student's submission."""

    student: str
    name: str = ""
    handed_in: datetime | None = None
    """In UTC."""
    late: float = 0.0
    """Points that a late submission loses."""
    cells: dict[str, Mark] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The points so far; what is not marked yet counts nothing."""
        return max(0.0, sum(mark.points for mark in self.cells.values()) - self.late)

    @property
    def max_score(self) -> float:
        """The points that all cells could give."""
        return sum(mark.max_points for mark in self.cells.values())

    @property
    def waiting(self) -> float:
        """The points that a person has still to give or not to give."""
        return sum(mark.max_points for mark in self.cells.values() if mark.waits)


def marks_of(course: Course, assignment: str, students: Collection[str] | None = None) -> dict[str, Marks]:
    """The marks of those who were graded, by student, each table of the gradebook read once.

    Where nobody is named, those who have left the class are left out.
    """
    found, graded = dict[str, Marks](), GradeCell.__table__
    with contextlib.closing(open_gradebook(course)) as gradebook:
        submissions = (
            sql.select(Student.id, Student.first_name, Student.last_name, SubmittedAssignment.timestamp)
            .add_columns(SubmittedNotebook.late_submission_penalty.label("late"))
            .join(SubmittedAssignment, SubmittedAssignment.student_id == Student.id)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .order_by(Student.id)
        )
        for row in gradebook.db.execute(_chosen(submissions, assignment, students)):
            name = " ".join(filter(None, [row.first_name, row.last_name]))
            found[row.id] = Marks(row.id, name, row.timestamp, row.late or 0.0)
        waits = sql.cast(Grade.needs_manual_grade, sql.Integer).label("waits")
        for row in gradebook.db.execute(
            _of_cells(Grade, assignment, students, Grade.score.label("score"), waits, graded.c.max_score)
            .join(graded, graded.c.id == Grade.cell_id)
            .order_by(BaseCell.name)
        ):
            found[row.student_id].cells[row.name] = Mark(row.score or 0.0, row.max_score or 0.0, bool(row.waits))
        for row in gradebook.db.execute(_of_cells(Comment, assignment, students, Comment.comment.label("comment"))):
            if row.comment:
                found[row.student_id].comments[row.name] = row.comment
        gone = dropped_students(gradebook) if students is None else frozenset()
    return {student: marks for student, marks in found.items() if student not in gone}


def _of_cells(kind: Any, assignment: str, students: Collection[str] | None, *columns: Any) -> Any:
    query = (
        sql.select(SubmittedAssignment.student_id, BaseCell.name, *columns)
        .select_from(kind)
        .join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(BaseCell, BaseCell.id == kind.cell_id)
    )
    return _chosen(query, assignment, students)


def _chosen(query: Any, assignment: str, students: Collection[str] | None) -> Any:
    query = query.where(Assignment.name == assignment)
    return query if students is None else query.where(SubmittedAssignment.student_id.in_(students))
