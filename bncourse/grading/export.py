"""Grades for other systems: the lists that every grading run writes, and what Gradescope and Canvas read.

Cells that a spreadsheet would take for a formula begin with an apostrophe.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from nbgrader.api import Assignment, Student, SubmittedAssignment

from bncourse.grading.course import Course, CourseError, write
from bncourse.grading.records import SubmissionRecord
from bncourse.grading.stored import open_gradebook, records_of

FORMATS = ("csv", "gradescope", "canvas")


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


def lines_of(course: Course, assignment: str | None = None) -> list[Line]:
    """The gradebook's content, by assignment and student."""
    records = {(record.assignment, record.student): record for record in records_of(course, assignment)}
    query = (
        sql.select(SubmittedAssignment, SubmittedAssignment.score, SubmittedAssignment.max_score)
        .add_columns(SubmittedAssignment.late_submission_penalty, SubmittedAssignment.needs_manual_grade)
        .add_columns(Assignment.name, Student)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(Student, Student.id == SubmittedAssignment.student_id)
    )
    if assignment is not None:
        query = query.where(Assignment.name == assignment)
    gradebook = open_gradebook(course)
    try:
        lines = [
            Line(
                student=student.id,
                name=" ".join(filter(None, [student.first_name, student.last_name])),
                lms_id=student.lms_user_id or "",
                assignment=name,
                score=max(0.0, score - (penalty or 0.0)),
                max_score=highest,
                to_mark=bool(to_mark),
                record=records.get((name, student.id)),
            )
            for _, score, highest, penalty, to_mark, name, student in gradebook.db.execute(query)
        ]
    finally:
        gradebook.close()
    return sorted(lines, key=lambda line: (line.assignment, line.student))


def write_lists(course: Course) -> None:
    """Write grades.csv, one row a student and assignment, and verdicts.jsonl, one line a test cell."""
    lines = lines_of(course)
    rows = [[line.student, line.assignment, line.score, line.max_score, _status(line)] for line in lines]
    write(course.root / "grades.csv", _csv(["id", "assignment", "score", "max_score", "status"], rows))
    write(course.root / "verdicts.jsonl", "".join(_verdict_lines(line.record) for line in lines).encode())


def export(course: Course, assignment: str, style: str, to: Path | None = None) -> Path:
    """Write an assignment's grades in another system's format.

    Parameters
    ----------
    course, assignment
        Which grades.
    style : {"csv", "gradescope", "canvas"}
    to : Path, optional
        Where to; a file, and for Gradescope a folder with one results.json a student. If left out, a place
        in the course folder's results.

    Returns
    -------
    Path
        Where it lies now.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded.
    """
    course.master(assignment)
    lines = lines_of(course, assignment)
    if not lines:
        raise CourseError(f"Nothing of {assignment} has been graded. Type first: bncourse grade {assignment}")
    if style == "gradescope":
        to = to or course.results(assignment) / "gradescope"
        for line in lines:
            write(to / line.student / "results.json", json.dumps(_gradescope(line), indent=1).encode())
        return to
    to = to or course.results(assignment) / ("canvas.csv" if style == "canvas" else "questions.csv")
    if to.is_dir():
        raise CourseError(f"{to} is a folder. Expected a file to write to.")
    write(to, _canvas(lines) if style == "canvas" else _by_question(lines))
    return to


def safe(value: Any) -> Any:
    """A value for a spreadsheet's cell: text that would be read as a formula begins with an apostrophe.

    >>> safe("=1+1"), safe("ada"), safe(-2.5)
    ("'=1+1", 'ada', -2.5)
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _csv(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows([safe(value) for value in row] for row in rows)
    return file.getvalue().encode()


def _status(line: Line) -> str:
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


def _by_question(lines: Sequence[Line]) -> bytes:
    questions = list(dict.fromkeys(v.grade_id for line in lines if line.record for v in line.record.verdicts))
    heading = ["id", "name", "assignment", "score", "max_score", "status", "to_mark", *questions]
    rows = []
    for line in lines:
        points = {v.grade_id: v.points for v in line.record.verdicts} if line.record else {}
        facts = [line.student, line.name, line.assignment, line.score, line.max_score, _status(line)]
        rows.append([*facts, "yes" if line.to_mark else "no", *(points.get(name, "") for name in questions)])
    return _csv(heading, rows)


def _canvas(lines: Sequence[Line]) -> bytes:
    heading = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", lines[0].assignment]
    possible = ["    Points Possible", "", "", "", "", lines[0].max_score]
    rows = [[line.name or line.student, line.lms_id, "", line.student, "", line.score] for line in lines]
    return _csv(heading, [possible, *rows])


def _gradescope(line: Line) -> dict[str, Any]:
    record = line.record
    tests = [
        {
            "name": verdict.grade_id,
            "score": verdict.points,
            "max_score": verdict.max_points,
            "status": "passed" if verdict.points == verdict.max_points else "failed",
            "output": verdict.message,
            "output_format": "text",
        }
        for verdict in (record.verdicts if record else ())
    ]
    notes = [record.reason, *record.repairs, *record.notes] if record else []
    output = "\n".join(filter(None, [f"Status: {_status(line)}.", *notes]))
    return {"score": line.score, "output": output, "output_format": "text", "tests": tests}
