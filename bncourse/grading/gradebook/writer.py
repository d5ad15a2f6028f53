"""Submissions and their records in; checked scores, comments and flags in nbgrader's gradebook out.

Beside nbgrader's own tables it keeps one more, `bncourse_record`, written in the same transaction as the
scores: what became of each submission, and of which file. So a run that was killed goes on where it stopped,
and what has not changed is not graded again.
"""

import json
import math
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self

import sqlalchemy as sql
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import Master, Outcome, SubmissionRecord, Verdict
from bncourse.grading.core.status import given_up
from bncourse.grading.gradebook.fingerprints import Fingerprints, answer_digests
from bncourse.grading.gradebook.records_table import (
    RECORDS,
    dropped_students,
    open_gradebook,
    read_fingerprints,
    require_writable,
    to_json,
)
from bncourse.grading.submissions.attempted import attempted
from bncourse.grading.submissions.submission import Submission

NEEDS_A_LOOK: frozenset[Outcome] = frozenset({"unreadable", "repaired", "needs review"})
"""Statuses that flag a submission for the instructor."""

NO_RESPONSE = "No response."
BATCH, FLUSH_SECONDS = 50, 2.0
"""A run that is killed loses at most so many records, or what was graded in so many seconds."""


class Pending(NamedTuple):
    """A record on its way."""

    record: SubmissionRecord
    fingerprint: str
    attempted: frozenset[str]
    texts: Mapping[str, str]
    """For each cell that can be marked by hand, the digest of what the student wrote there."""


class GradebookWriter:
    """Writes records into the gradebook; use it as a context manager.

    Manual scores and comments are never touched. A cell whose score was set by hand is marked for another look
    where what the student wrote there has changed.

    Parameters
    ----------
    course : Course
    master : Master
        The assignment as it was released.

    Raises
    ------
    CourseError
        If the gradebook does not hold the assignment as the master states it.
    """

    def __init__(self, course: Course, master: Master) -> None:
        self.course, self.master = course, master
        self._pending: dict[str, Pending] = {}
        self._flushed = time.monotonic()
        self._ways = dict[tuple[str, int], Fingerprints]()

    def __enter__(self) -> Self:
        self._gradebook = open_gradebook(self.course)
        try:
            require_writable(self._gradebook, self.course)
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
        """What was graded before: for each student of whom there is a grade, the digest of all that decided it."""
        kept = read_fingerprints(self._gradebook.engine, self.master.assignment)
        return {student: fingerprint for student, fingerprint in kept.items() if student in self._notebooks}

    def dropped(self) -> frozenset[str]:
        """Those who have left the class."""
        return dropped_students(self._gradebook)

    def write(self, submission: Submission, record: SubmissionRecord) -> None:
        """Take in the record of a submission; it is on disk after `flush`, which happens by itself every so often."""
        way = (record.level, record.seed)
        if way not in self._ways:
            self._ways[way] = Fingerprints(self.master, *way)
        reading = submission.reading
        texts = answer_digests(self.master, reading)
        self.put(record, self._ways[way].of(submission.digest), attempted(self.master, reading), texts)

    def put(
        self,
        record: SubmissionRecord,
        fingerprint: str,
        attempted: Iterable[str],
        texts: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Take a record in.

        Parameters
        ----------
        record : SubmissionRecord
        fingerprint : str
            Digest of all that decided the record.
        attempted : iterable of str
            The grade_ids of the answers and written answers that differ from the release.
        texts : mapping, optional
            For each cell that can be marked by hand, the digest of what the student wrote there.

        Raises
        ------
        ValueError
            If a score is not a number between 0 and the cell's points, or belongs to no test cell.
        """
        for verdict in record.verdicts:
            self._check(record, verdict)
        self._pending[record.student] = Pending(record, fingerprint, frozenset(attempted), texts)
        if len(self._pending) >= BATCH or time.monotonic() > self._flushed + FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is pending, in one transaction."""
        pending, self._pending = list(self._pending.values()), {}
        self._flushed = time.monotonic()
        if not pending:
            return
        with self._gradebook.engine.begin() as connection:
            new = self._make_submissions(connection, pending)
            self._write_cells(connection, pending, new)
            self._write_flags(connection, pending)
            self._write_records(connection, pending)

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

    def _make_submissions(self, connection: Any, pending: list[Pending]) -> set[str]:
        """Make the rows that nbgrader would make for new submissions, but those of cells; returns whose are new."""
        students = [each.record.student for each in pending if each.record.student not in self._notebooks]
        strangers = [student for student in students if student not in self._students]
        rows: dict[Any, list[dict[str, Any]]] = {Student: [{"id": student} for student in strangers]}
        submissions, notebooks = new_ids(len(students)), new_ids(len(students))
        rows[SubmittedAssignment] = [
            {"id": submission, "assignment_id": self._assignment_id, "student_id": student}
            for submission, student in zip(submissions, students, strict=True)
        ]
        rows[SubmittedNotebook] = [
            {"id": notebook, "assignment_id": submission, "notebook_id": self._notebook_id, "flagged": False}
            for notebook, submission in zip(notebooks, submissions, strict=True)
        ]
        for kind, made in rows.items():
            if made:
                connection.execute(sql.insert(kind.__table__), made)
        self._students.update(strangers)
        self._notebooks.update(zip(students, notebooks, strict=True))
        return set(students)

    def _write_cells(self, connection: Any, pending: list[Pending], new: set[str]) -> None:
        """Write the scores and comments of all cells; a mark that was given by hand stays while the text does."""
        before = {self._notebooks[each.record.student]: each for each in pending if each.record.student not in new}
        marks = self._marks_by_hand(connection, before)
        for kind, rows_of in ((Grade, self._grades), (Comment, self._comments)):
            table = kind.__table__
            made = [row for each in pending if each.record.student in new for row in rows_of(each)]
            if made:
                rows = [{"id": id_, **row} for id_, row in zip(new_ids(len(made)), made, strict=True)]
                connection.execute(sql.insert(table), rows)
            changed = [row for each in pending if each.record.student not in new for row in rows_of(each)]
            if changed:
                place = {name: sql.bindparam(f"of_{name}") for name in ("notebook_id", "cell_id")}
                where = sql.and_(*(table.c[name] == value for name, value in place.items()))
                rows = [{f"of_{name}" if name in place else name: row[name] for name in row} for row in changed]
                connection.execute(sql.update(table).where(where), rows)
        if marks:
            grades = Grade.__table__
            mark = sql.update(grades).where(grades.c.id == sql.bindparam("of_id"))
            connection.execute(mark, marks)

    def _marks_by_hand(self, connection: Any, before: Mapping[str, Pending]) -> list[dict[str, Any]]:
        """The grades that were given by hand, and whether a person has to look at them."""
        cells = {cell: name for name, cell in self._grade_cells.items()}
        grades, students = Grade.__table__, [each.record.student for each in before.values()]
        own = (RECORDS.c.assignment == self.master.assignment) & RECORDS.c.student.in_(students)
        query = sql.select(RECORDS.c.student, RECORDS.c.record).where(own)
        texts = {student: json.loads(record).get("texts", {}) for student, record in connection.execute(query)}
        by_hand = grades.c.notebook_id.in_(list(before)) & grades.c.manual_score.is_not(None)
        marks = []
        for grade in connection.execute(sql.select(grades).where(by_hand)).all():
            each, name = before[grade.notebook_id], cells[grade.cell_id]
            then = texts.get(each.record.student, {}).get(name)
            changed = then is None or then != each.texts.get(name)
            marks.append({"of_id": grade.id, "needs_manual_grade": changed or grade.needs_manual_grade})
        return marks

    def _write_flags(self, connection: Any, pending: list[Pending]) -> None:
        table = SubmittedNotebook.__table__
        flag = sql.update(table).where(table.c.id == sql.bindparam("notebook"))
        flags = [
            {"notebook": self._notebooks[each.record.student], "flagged": each.record.status in NEEDS_A_LOOK}
            for each in pending
        ]
        connection.execute(flag, flags)

    def _grades(self, pending: Pending) -> Iterator[dict[str, Any]]:
        record = pending.record
        scores: dict[str, float | None] = {verdict.grade_id: verdict.points for verdict in record.verdicts}
        review = {verdict.grade_id for verdict in record.verdicts if verdict.outcome in ("unreadable", "needs review")}
        for name in self._points.keys() - scores.keys():
            scores[name] = None if name in pending.attempted else 0.0
        for name, score in scores.items():
            look = score is None or name in review or (name in self._written and record.status == "unreadable")
            yield {
                "notebook_id": self._notebooks[record.student],
                "cell_id": self._grade_cells[name],
                "auto_score": score,
                "needs_manual_grade": look,
            }

    def _comments(self, pending: Pending) -> Iterator[dict[str, Any]]:
        for name, cell in self._solution_cells.items():
            text = None if name in pending.attempted else NO_RESPONSE
            yield {"notebook_id": self._notebooks[pending.record.student], "cell_id": cell, "auto_comment": text}

    def _write_records(self, connection: Any, pending: list[Pending]) -> None:
        rows = []
        for record, fingerprint, _, texts in pending:
            stamp = "" if given_up(record) else fingerprint  # graded again in the next run
            row = {"assignment": record.assignment, "student": record.student, "stamp": stamp}
            rows.append(row | {"record": to_json(record, texts)})
        own = RECORDS.c.assignment == self.master.assignment
        connection.execute(sql.delete(RECORDS).where(own & RECORDS.c.student.in_([row["student"] for row in rows])))
        connection.execute(sql.insert(RECORDS), rows)


def new_ids(count: int) -> list[str]:
    """Ids as long as nbgrader's, which are random, but in the order of time: a database takes them in at one place."""
    first = time.time_ns() << 64 | secrets.randbits(63)
    return [f"{first + number:032x}" for number in range(count)]
