"""Records in; lists out: our own, and those that Canvas, Moodle and Gradescope read.

Cells that a spreadsheet would take for a formula begin with an apostrophe.
"""

import codecs
import csv
import io
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from nbgrader.api import Assignment, Grade, GradeCell, Notebook, Student, SubmittedAssignment, SubmittedNotebook

from bncourse.grading.authoring.course import Course, CourseError, replacing, write
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.gradebook.late_penalty import update_penalties
from bncourse.grading.gradebook.records_table import dropped_students, open_gradebook, some_records
from bncourse.grading.reports.platform_results import gradescope_results

_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@]")
"""How a formula begins, once its letters are written as plain ones: spreadsheets read full-width signs as well."""
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


def write_lists(course: Course) -> None:
    """Write grades.csv, one row a student and assignment, and verdicts.jsonl, one line a test cell."""
    grades, verdicts = course.root / "grades.csv", course.root / "verdicts.jsonl"
    with replacing(grades) as first, replacing(verdicts) as second:
        first.write(csv_bytes(["id", "assignment", "score", "max_score", "status", "late", "to_mark"], []))
        for line in each_line(course):
            facts = [line.student, line.assignment, line.score, line.max_score, _status(line), _late(line)]
            first.write(_csv_rows([[*facts, "yes" if line.to_mark else "no"]]))
            second.write(_verdict_lines(line.record).encode())


def export(
    course: Course,
    assignment: str,
    style: str,
    to: Path | None = None,
    *,
    complete: bool = False,
    missing: str = "zero",
) -> Path:
    """Write the whole class's grades of an assignment in another system's format.

    Parameters
    ----------
    course, assignment
        Which grades.
    style : {"csv", "gradescope", "canvas", "moodle"}
    to : Path, optional
        Where to; a file, and for Gradescope a folder with one results.json a student. If left out, a place
        in the course folder's results.
    complete : bool
        Refuse where a score is not complete, or its submission is gone.
    missing : {"zero", "blank"}
        What stands for students who handed in nothing.

    Returns
    -------
    Path
        Where it lies now.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded.
    """
    lines = lines_to_export(course, assignment, complete=complete)
    if style == "gradescope":
        to = to or course.results(assignment) / "gradescope"
        for line in lines:
            if not line.absent or missing == "zero":
                write(to / line.student / "results.json", json.dumps(_gradescope(line), indent=1).encode())
        return to
    to = to or course.results(assignment) / f"{'questions' if style == 'csv' else style}.csv"
    if to.is_dir():
        raise CourseError(f"{to} is a folder. Expected a file to write to.")
    made = {"canvas": _canvas, "moodle": _moodle, "csv": _by_question}[style](lines, missing)
    write(to, codecs.BOM_UTF8 + made)  # by which spreadsheets know the encoding; Canvas and Moodle pass over it
    return to


def lines_to_export(course: Course, assignment: str, *, complete: bool = False) -> list[Line]:
    """The whole class's results, late penalties worked out from the scores as they are now.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded, or, with `complete`, a score is not complete.
    """
    course.master(assignment)
    update_penalties(course, assignment)
    lines = class_lines(course, assignment)
    said = warnings(lines) if complete else []
    if said:
        raise CourseError(f"{' '.join(said)} Nothing was written.")
    return lines


def safe(value: Any) -> Any:
    """A value for a spreadsheet's cell: text that would be read as a formula begins with an apostrophe.

    >>> safe("=1+1"), safe("\uff1d1+1"), safe("ada"), safe(-2.5)
    ("'=1+1", "'\uff1d1+1", 'ada', -2.5)
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _FORMULA.match(unicodedata.normalize("NFKC", value[:20])):
        return f"'{value}"
    return value


def as_meant(text: str) -> str:
    """A cell's text without the apostrophe that `safe` puts before what a spreadsheet would take for a formula.

    >>> as_meant("'=Bo"), as_meant("'Aisha"), as_meant("O'Neil")
    ('=Bo', "'Aisha", "O'Neil")
    """
    return text[1:] if text[:1] == "'" and safe(text[1:]) == text else text


def csv_bytes(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A table as CSV; no cell of it is a formula."""
    return (",".join(heading) + "\n").encode() + _csv_rows(rows)


def _csv_rows(rows: Iterable[Sequence[Any]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([safe(value) for value in row] for row in rows)
    return file.getvalue().encode()


def warnings(lines: Iterable[Line]) -> list[str]:
    """What a person who takes these grades elsewhere should know first."""
    unmarked, gone, ungraded, count = list[str](), list[str](), list[str](), 0
    for line in lines:
        count += 1
        ungraded += [line.student] if line.ungraded else []
        unmarked += [line.student] if line.to_mark else []
        gone += [line.student] if line.gone else []
    found = []
    if unmarked:
        found.append(
            f"{len(unmarked)} of {count} scores are not complete: answers still wait to be marked in formgrader "
            f"({_some(unmarked)})."
        )
    if ungraded:
        found.append(
            f"{len(ungraded)} of {count} have handed in and are not graded ({_some(ungraded)}). Grade them first."
        )
    if gone:
        found.append(
            f"{len(gone)} of {count} grades are of students who have nothing in the folder submitted any more "
            f"({_some(gone)}). To drop one: bncourse roster drop ID"
        )
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _late(line: Line) -> float | str:
    return round(-line.late, 4) if line.late else ""


def _status(line: Line) -> str:
    if line.absent:
        return "nothing handed in"
    return line.record.status if line.record else "not graded"


def _verdict_lines(record: SubmissionRecord | None) -> str:
    text = ""
    for verdict in record.verdicts if record else ():
        facts = {
            "student": record.student if record else "",
            "assignment": record.assignment if record else "",
            "cell": verdict.grade_id,
            "verdict": verdict.outcome,
            "points": verdict.points,
            "max_points": verdict.max_points,
            "message": verdict.message,
            "belief": verdict.belief,
        }
        text += json.dumps(facts) + "\n"
    return text


def _points(line: Line, missing: str) -> float | str:
    """A line's score as a list shows it."""
    return "" if line.ungraded or (line.absent and missing == "blank") else round(line.score, 4)


def _by_question(lines: Sequence[Line], missing: str) -> bytes:
    questions = list(dict.fromkeys(v.grade_id for line in lines if line.record for v in line.record.verdicts))
    heading = ["id", "name", "assignment", "score", "max_score", "status", "late", "to_mark", *questions]
    rows = []
    for line in lines:
        points = {v.grade_id: v.points for v in line.record.verdicts} if line.record else {}
        score = _points(line, missing)
        facts = [line.student, line.name, line.assignment, score, line.max_score, _status(line), _late(line)]
        rows.append([*facts, "yes" if line.to_mark else "no", *(points.get(name, "") for name in questions)])
    return csv_bytes(heading, rows)


def _canvas(lines: Sequence[Line], missing: str) -> bytes:
    """The columns of Canvas's own gradebook file, of which an import needs the first five and the assignment."""
    heading = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", lines[0].assignment]
    possible = ["    Points Possible", "", "", "", "", lines[0].max_score]
    rows = [[_family_first(line), line.lms_id, "", line.student, "", _points(line, missing)] for line in lines]
    return csv_bytes(heading, [possible, *rows])


def _family_first(line: Line) -> str:
    return f"{line.last}, {line.first}" if line.first and line.last else line.name or line.student


def _moodle(lines: Sequence[Line], missing: str) -> bytes:
    """A list for the page *Import, CSV file* of Moodle's gradebook, where the columns are assigned by name."""
    heading = ["ID number", "First name", "Last name", "Email address", lines[0].assignment]
    return csv_bytes(heading, [[x.student, x.first, x.last, x.email, _points(x, missing)] for x in lines])


def _gradescope(line: Line) -> dict[str, Any]:
    waits = line.to_mark and line.record is not None
    return gradescope_results(line.record, line.score, status=_status(line), late=line.late, to_mark=waits)
