"""Written questions in; what persons have given each student for them out, and a mark for several of them in.

A mark goes where formgrader puts it: into nbgrader's manual score and manual comment of a cell.
"""

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sql
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)

from bncourse.grading.authoring.course import Course
from bncourse.grading.gradebook.records_table import RECORDS, dropped_students, open_gradebook


@dataclass(frozen=True)
class HandMark:
    """What the gradebook says of one student's written answer."""

    points: float | None
    """None where nobody has given any."""
    comment: str
    waits: bool
    """Whether a person has to look: nobody has, or the answer is another since."""
    attempted: bool
    """False for an answer that is as it was released, or a file that cannot be read."""
    stamp: str
    """The digest of the file that was graded; another one where the student has handed in again."""


class ChangedMeanwhileError(Exception):
    """An answer or a mark is no longer what was looked at; nothing was written."""


def hand_marks(course: Course, assignment: str, questions: Collection[str]) -> dict[str, dict[str, HandMark]]:
    """The marks of each question, by student, without those who have left the class."""
    with contextlib.closing(open_gradebook(course)) as gradebook:
        gone = dropped_students(gradebook)
        with gradebook.engine.connect() as connection:
            found = _read(connection, assignment, questions)
    return {name: {who: mark for who, mark in marks.items() if who not in gone} for name, marks in found.items()}


def give(
    course: Course,
    assignment: str,
    question: str,
    seen: Mapping[str, HandMark],
    points: float | None,
    comment: str,
) -> None:
    """Give several students the same points and comment, all or none of them.

    Parameters
    ----------
    course : Course
    assignment, question : str
        The question is the grade_id of a written cell.
    seen : mapping
        The students, and what their marks were when somebody decided.
    points : float or None
        None takes the mark back: the answer waits again.
    comment : str
        Empty for none.

    Raises
    ------
    ChangedMeanwhileError
        If an answer or a mark is no longer what `seen` says.
    ValueError
        If the points are no number from 0 to what the question can give.
    """
    grades, comments, cells = Grade.__table__, Comment.__table__, _cells(assignment, [question])
    with contextlib.closing(open_gradebook(course)) as gradebook, gradebook.engine.begin() as connection:
        highest = connection.scalar(
            sql.select(sql.func.max(GradeCell.__table__.c.max_score)).where(GradeCell.__table__.c.id.in_(cells))
        )
        if points is not None and not 0.0 <= points <= (highest or 0.0):
            raise ValueError(f"{points:g} points cannot be given. Expected 0 to {highest or 0:g}.")
        notebooks = _notebooks(connection, assignment, seen)
        mine = [table.c.notebook_id.in_(notebooks) & table.c.cell_id.in_(cells) for table in (grades, comments)]
        values = {"manual_score": points, "needs_manual_grade": points is None}
        # written before it is looked at, so that nobody else can write between the two
        connection.execute(sql.update(grades).where(mine[0]).values(needs_manual_grade=grades.c.needs_manual_grade))
        now = _read(connection, assignment, [question])[question]
        if {student: now.get(student) for student in seen} != dict(seen):
            raise ChangedMeanwhileError(question)
        connection.execute(sql.update(grades).where(mine[0]).values(**values))
        connection.execute(sql.update(comments).where(mine[1]).values(manual_comment=comment or None))


def _notebooks(connection: Any, assignment: str, students: Collection[str]) -> list[str]:
    query = (
        sql.select(SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment, SubmittedAssignment.student_id.in_(students))
    )
    return list(connection.scalars(query))


def _cells(assignment: str, questions: Collection[str]) -> Any:
    """The ids of the cells with these names: a written cell is one of grades, and one of solutions."""
    return (
        sql.select(BaseCell.id)
        .join(Notebook, Notebook.id == BaseCell.notebook_id)
        .join(Assignment, Assignment.id == Notebook.assignment_id)
        .where(Assignment.name == assignment, BaseCell.name.in_(questions))
    )


def _read(connection: Any, assignment: str, questions: Collection[str]) -> dict[str, dict[str, HandMark]]:
    cells = _cells(assignment, questions)
    asked, solved = BaseCell.__table__, BaseCell.__table__.alias()
    said = (
        sql.select(Comment.notebook_id, solved.c.name, Comment.manual_comment)
        .join(solved, solved.c.id == Comment.cell_id)
        .where(Comment.cell_id.in_(cells))
        .subquery()
    )
    query = (
        sql.select(asked.c.name, SubmittedAssignment.student_id, Grade.manual_score, Grade.auto_score)
        .add_columns(sql.cast(Grade.needs_manual_grade, sql.Integer).label("waits"))
        .add_columns(said.c.manual_comment, RECORDS.c.stamp)
        .select_from(Grade)
        .join(asked, asked.c.id == Grade.cell_id)
        .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(RECORDS, (RECORDS.c.assignment == assignment) & (RECORDS.c.student == SubmittedAssignment.student_id))
        .outerjoin(said, (said.c.notebook_id == SubmittedNotebook.id) & (said.c.name == asked.c.name))
        .where(Grade.cell_id.in_(cells))
        .order_by(SubmittedAssignment.student_id)
    )
    found: dict[str, dict[str, HandMark]] = {question: {} for question in questions}
    for row in connection.execute(query):
        found[row.name][row.student_id] = HandMark(
            row.manual_score, row.manual_comment or "", bool(row.waits), row.auto_score is None, row.stamp
        )
    return found
