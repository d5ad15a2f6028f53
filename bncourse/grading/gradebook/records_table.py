"""A course in; the records that its gradebook keeps beside nbgrader's own tables out."""

import dataclasses
import json
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sql
from nbgrader.api import Gradebook

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import SubmissionRecord, Verdict
from bncourse.grading.gradebook.connection import COURSE_ID, make_alembic_callable

_METADATA = sql.MetaData()
RECORDS = sql.Table(
    "bncourse_record",
    _METADATA,
    sql.Column("assignment", sql.String(128), primary_key=True),
    sql.Column("student", sql.String(128), primary_key=True),
    sql.Column("stamp", sql.Text, nullable=False),
    sql.Column("record", sql.Text, nullable=False),
)

PEOPLE = sql.Table(
    "bncourse_person",
    _METADATA,
    sql.Column("student", sql.String(128), primary_key=True),
    sql.Column("login", sql.String(128), nullable=False, default=""),
    sql.Column("dropped", sql.Boolean, nullable=False, default=False),
)
"""What nbgrader's table of students has no place for: a login of another platform, and who has left the class."""

EXTENSIONS = sql.Table(
    "bncourse_extension",
    _METADATA,
    sql.Column("assignment", sql.String(128), primary_key=True),
    sql.Column("student", sql.String(128), primary_key=True),
    sql.Column("until", sql.DateTime, nullable=False),
)
"""Until when, in UTC, a student may hand in; nbgrader has a place for it only once something was handed in."""


class Kept(NamedTuple):
    """What the gradebook knows about a submission that was graded before."""

    fingerprint: str
    """Of all that decided the record; empty where the grader gave up."""
    record: SubmissionRecord


def open_gradebook(course: Course) -> Any:
    """Nbgrader's gradebook of the course, with our table in it.

    Raises
    ------
    CourseError
        If the database cannot be reached.
    """
    make_alembic_callable()
    course.root.mkdir(parents=True, exist_ok=True)
    name = without_password(course.db_url)
    try:
        gradebook = Gradebook(course.db_url, COURSE_ID)
        _METADATA.create_all(gradebook.engine)
    except ImportError as error:
        raise CourseError(f"The gradebook {name} cannot be opened: {error}. Install that module.") from error
    except (sql.exc.SQLAlchemyError, ValueError) as error:
        raise CourseError(f"The gradebook {name} cannot be opened: {reason(error, course)}") from error
    return gradebook


def require_writable(gradebook: Any, course: Course) -> None:
    """Refuse where nothing can be written to the gradebook, before anything is done that would be lost.

    Raises
    ------
    CourseError
        If another program holds it, or it is only to be read.
    """
    try:
        with gradebook.engine.begin() as connection:
            connection.execute(sql.delete(RECORDS).where(sql.false()))
    except sql.exc.SQLAlchemyError as error:
        name = without_password(course.db_url)
        raise CourseError(f"The gradebook {name} cannot be written: {reason(error, course)}") from error


def reason(error: Exception, course: Course) -> str:
    """What a database says, on one line, and what can be done about it; it never holds the password."""
    if isinstance(error, sql.exc.ArgumentError | ValueError):
        return "this is no address as SQLAlchemy writes it, such as postgresql+psycopg2://name:password@host/database."
    said = re.sub(r"^\([\w.]+\) ", "", str(error).splitlines()[0]).strip().rstrip(".")
    if "locked" in said:
        return f"{said}. Another program writes it; wait for it, or end it."
    if not course.db_url.startswith("sqlite"):
        return f"{said}. Is the server running, and are its address and the password right?"
    return f"{said}. See whether the file may be written and is a gradebook."


def records_of(course: Course, assignment: str | None = None) -> list[SubmissionRecord]:
    """All records that the gradebook keeps, by assignment and student."""
    gradebook = open_gradebook(course)
    try:
        query = sql.select(RECORDS.c.record).order_by(RECORDS.c.assignment, RECORDS.c.student)
        if assignment is not None:
            query = query.where(RECORDS.c.assignment == assignment)
        return [from_json(text) for text in gradebook.db.scalars(query)]
    finally:
        gradebook.close()


def kept_records(course: Course, assignment: str) -> dict[str, Kept]:
    """What was graded of an assignment, by student."""
    gradebook = open_gradebook(course)
    try:
        return read_kept(gradebook.engine, assignment)
    finally:
        gradebook.close()


def some_records(engine: Any, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], SubmissionRecord]:
    """The records of these assignments and students."""
    students = {student for _, student in keys}
    query = sql.select(RECORDS).where(RECORDS.c.student.in_(students))
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return {(r.assignment, r.student): from_json(r.record) for r in rows if (r.assignment, r.student) in keys}


def read_fingerprints(engine: Any, assignment: str) -> dict[str, str]:
    """For each student, the digest of all that decided the record."""
    query = sql.select(RECORDS.c.student, RECORDS.c.stamp).where(RECORDS.c.assignment == assignment)
    with engine.connect() as connection:
        return {row.student: row.stamp for row in connection.execute(query)}


def read_kept(engine: Any, assignment: str) -> dict[str, Kept]:
    """The same, from an open database."""
    query = sql.select(RECORDS).where(RECORDS.c.assignment == assignment).order_by(RECORDS.c.student)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return {row.student: Kept(row.stamp, from_json(row.record)) for row in rows}


def to_json(record: SubmissionRecord, texts: Mapping[str, str] = MappingProxyType({})) -> str:
    """A record as JSON; what the student's cells printed and drew stays in the autograded notebook.

    Parameters
    ----------
    record : SubmissionRecord
    texts : mapping, optional
        For each cell that can be marked by hand, the digest of what the student wrote there.
    """
    facts = {**vars(record), "outputs": (), "verdicts": [vars(verdict) for verdict in record.verdicts]}
    facts["texts"] = dict(texts)
    return json.dumps(facts, sort_keys=True)


def from_json(text: str) -> SubmissionRecord:
    """The record that `to_json` wrote; facts that this version does not know are left out."""
    facts = json.loads(text)
    known = {field.name for field in dataclasses.fields(SubmissionRecord)}
    kept: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in facts.items() if name in known
    }
    if kept["status"] == "tampered":  # as earlier versions called it
        kept["status"] = "repaired"
    kept["verdicts"] = tuple(Verdict(**verdict) for verdict in facts["verdicts"])
    return SubmissionRecord(**kept)


def dropped_students(gradebook: Any) -> frozenset[str]:
    """Those who have left the class; their grades are kept, and stand in no list."""
    return frozenset(gradebook.db.scalars(sql.select(PEOPLE.c.student).where(PEOPLE.c.dropped)))


def without_password(url: str) -> str:
    """A gradebook's address as it may be printed."""
    try:
        return str(sql.make_url(url).render_as_string(hide_password=True))
    except (sql.exc.ArgumentError, ValueError):
        return "address"
