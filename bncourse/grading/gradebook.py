"""The one writer of nbgrader's gradebook: every score that grading gives goes through here, checked.

Beside nbgrader's own tables it keeps one more, `bncourse_record`, written in the same transaction as the
scores: what became of each submission, and of which file. So a run that was killed goes on where it stopped,
and what has not changed is not graded again.
"""

import json
import math
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sql
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.utils import parse_utc

from bncourse.grading.course import Course, CourseError
from bncourse.grading.records import Master, Outcome, SubmissionRecord, Verdict
from bncourse.grading.stamps import Stamp
from bncourse.grading.stored import RECORDS, open_gradebook, read_stamps, to_json

NEEDS_A_LOOK: frozenset[Outcome] = frozenset({"unreadable", "tampered", "needs review"})
"""Statuses that flag a submission for the instructor."""

NO_RESPONSE = "No response."
BATCH = 50


class GradebookWriter:
    """Writes records into the gradebook; use it as a context manager.

    Manual scores and comments are never touched. A test cell whose score was set by hand is marked for
    another look when its submission is graded again.

    Parameters
    ----------
    course : Course
    master : Master
        The assignment as it was released.
    penalty : callable, optional
        Called with student, score and seconds late; returns the points to take off, or None.

    Raises
    ------
    CourseError
        If the gradebook does not hold the assignment as the master states it.
    """

    def __init__(self, course: Course, master: Master, penalty: Any = None) -> None:
        self.course, self.master, self.penalty = course, master, penalty
        self._pending: list[tuple[SubmissionRecord, Stamp, frozenset[str]]] = []

    def __enter__(self) -> Self:
        self._gradebook = open_gradebook(self.course)
        try:
            self._read_release()
        except BaseException:
            self._gradebook.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.flush()
        finally:
            self._gradebook.close()

    def known(self) -> dict[str, str]:
        """What was graded before: for each student, the digest of all that decided the record."""
        return read_stamps(self._gradebook.engine, self.master.assignment)

    def write(self, record: SubmissionRecord, stamp: Stamp, attempted: Iterable[str]) -> None:
        """Take a record in; it is on disk after `flush`, which happens by itself every so often.

        Parameters
        ----------
        record : SubmissionRecord
        stamp : Stamp
            Digests of what was graded.
        attempted : iterable of str
            The grade_ids of the answers and written answers that differ from the release.

        Raises
        ------
        ValueError
            If a score is not a number between 0 and the cell's points, or belongs to no test cell.
        """
        for verdict in record.verdicts:
            self._check(record, verdict)
        self._pending.append((record, stamp, frozenset(attempted)))
        if len(self._pending) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is pending, in one transaction."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        with self._gradebook.engine.begin() as connection:
            for record, stamp, attempted in pending:
                notebook = self._notebook_of(connection, record.student)
                self._write_grades(connection, notebook, record, attempted)
                self._write_comments(connection, notebook, attempted)
                self._write_record(connection, record, stamp)
        for record, _, _ in pending:
            self._write_penalty(record.student)

    def _read_release(self) -> None:
        name = self.master.assignment
        query = self._gradebook.db.query(Notebook).join(Assignment).filter(Assignment.name == name)
        notebook = query.filter(Notebook.name == name).one_or_none()
        graded = [cell for cell in self.master.cells if cell.kind in ("test", "written")]
        points = {cell.name: cell.max_score for cell in notebook.grade_cells} if notebook else {}
        if points != {cell.grade_id: cell.points for cell in graded}:
            raise CourseError(
                f"The gradebook does not hold {name} as its master states it. Type first: bncourse release {name}"
            )
        self._points: dict[str, float] = points
        self._written = {cell.grade_id for cell in graded if cell.kind == "written"}
        self._grade_cells = {cell.name: cell.id for cell in notebook.grade_cells}
        self._solution_cells = {cell.name: cell.id for cell in notebook.solution_cells}
        self._assignment_id, self._notebook_id = notebook.assignment_id, notebook.id
        self._due = notebook.assignment.duedate
        query = sql.select(SubmittedAssignment.student_id, SubmittedNotebook.id).where(
            SubmittedNotebook.assignment_id == SubmittedAssignment.id,
            SubmittedNotebook.notebook_id == self._notebook_id,
        )
        self._notebooks: dict[str, str] = dict(self._gradebook.db.execute(query).all())
        self._students = set(self._gradebook.db.scalars(sql.select(Student.id)))
        self._gradebook.db.commit()

    def _check(self, record: SubmissionRecord, verdict: Verdict) -> None:
        highest = self._points.get(verdict.grade_id)
        if highest is None or verdict.grade_id in self._written:
            raise ValueError(f"The record of {record.student} scores {verdict.grade_id!r}, which is not a test cell.")
        if not (math.isfinite(verdict.points) and 0.0 <= verdict.points <= highest):
            raise ValueError(
                f"The record of {record.student} gives {verdict.points} for {verdict.grade_id}. "
                f"Expected 0 to {highest:g}."
            )

    def _notebook_of(self, connection: Any, student: str) -> str:
        """The submitted notebook's id; where the student is new, all rows that nbgrader would make are made."""
        if student not in self._students:
            connection.execute(sql.insert(Student).values(id=student))
            self._students.add(student)
        if student not in self._notebooks:
            submission, notebook = new_uuid(), new_uuid()
            owner = {"assignment_id": self._assignment_id, "student_id": student}
            connection.execute(sql.insert(SubmittedAssignment).values(id=submission, **owner))
            row = {"id": notebook, "assignment_id": submission, "notebook_id": self._notebook_id, "flagged": False}
            connection.execute(sql.insert(SubmittedNotebook).values(row))
            grades = [{"id": new_uuid(), "notebook_id": notebook, "cell_id": c} for c in self._grade_cells.values()]
            connection.execute(sql.insert(Grade.__table__), [{**row, "needs_manual_grade": True} for row in grades])
            comments = [
                {"id": new_uuid(), "notebook_id": notebook, "cell_id": c} for c in self._solution_cells.values()
            ]
            connection.execute(sql.insert(Comment.__table__), comments)
            self._notebooks[student] = notebook
        return str(self._notebooks[student])

    def _write_grades(
        self, connection: Any, notebook: str, record: SubmissionRecord, attempted: frozenset[str]
    ) -> None:
        scores: dict[str, float | None] = {verdict.grade_id: verdict.points for verdict in record.verdicts}
        review = {verdict.grade_id for verdict in record.verdicts if verdict.outcome in ("unreadable", "needs review")}
        for name in self._points.keys() - scores.keys():
            scores[name] = None if name in attempted else 0.0
        rows = [
            {
                "of_notebook": notebook,
                "of_cell": self._grade_cells[name],
                "score": score,
                "look": score is None or name in review or (name in self._written and record.status == "unreadable"),
            }
            for name, score in scores.items()
        ]
        table = Grade.__table__
        look = sql.or_(table.c.manual_score.is_not(None), sql.bindparam("look", type_=sql.Boolean))
        where = (table.c.notebook_id == sql.bindparam("of_notebook")) & (table.c.cell_id == sql.bindparam("of_cell"))
        change = sql.update(table).where(where).values(auto_score=sql.bindparam("score"), needs_manual_grade=look)
        connection.execute(change, rows)
        flag = sql.update(SubmittedNotebook).where(SubmittedNotebook.id == notebook)
        connection.execute(flag.values(flagged=record.status in NEEDS_A_LOOK))

    def _write_comments(self, connection: Any, notebook: str, attempted: frozenset[str]) -> None:
        rows = [
            {"of_notebook": notebook, "of_cell": cell, "text": None if name in attempted else NO_RESPONSE}
            for name, cell in self._solution_cells.items()
        ]
        table = Comment.__table__
        where = (table.c.notebook_id == sql.bindparam("of_notebook")) & (table.c.cell_id == sql.bindparam("of_cell"))
        connection.execute(sql.update(table).where(where).values(auto_comment=sql.bindparam("text")), rows)

    def _write_record(self, connection: Any, record: SubmissionRecord, stamp: Stamp) -> None:
        its = (RECORDS.c.assignment == record.assignment) & (RECORDS.c.student == record.student)
        connection.execute(sql.delete(RECORDS).where(its))
        if any(verdict.outcome == "needs review" for verdict in record.verdicts):
            stamp = stamp._replace(whole="")  # the grader gave up: this is graded again in the next run
        row = {"assignment": record.assignment, "student": record.student, "stamp": json.dumps(stamp)}
        connection.execute(sql.insert(RECORDS).values(record=to_json(record), **row))

    def _write_penalty(self, student: str) -> None:
        stamp = self.course.folder("submitted", self.master.assignment, student) / "timestamp.txt"
        try:
            handed_in = parse_utc(stamp.read_text(encoding="utf-8").strip())
        except (OSError, ValueError, OverflowError):
            return
        session = self._gradebook.db
        notebook = session.get(SubmittedNotebook, self._notebooks[student])
        notebook.assignment.timestamp = handed_in
        session.commit()
        late = notebook.assignment.total_seconds_late
        taken = self.penalty(student, notebook.score, late) if self.penalty and late > 0 else None
        notebook.late_submission_penalty = None if taken is None else min(max(0.0, taken), notebook.score)
        session.commit()
