"""The class's lines in; lists out: the course's own, and those that Canvas, Moodle and Gradescope read."""

import codecs
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bncourse.grading.authoring.course import Course, CourseError, replacing, write
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.gradebook.late_penalty import update_penalties
from bncourse.grading.reports.class_lines import Line, class_lines, each_line
from bncourse.grading.reports.platform_results import gradescope_results
from bncourse.grading.reports.spreadsheet import csv_bytes, csv_rows


def write_lists(course: Course) -> None:
    """Write grades.csv, one row a student and assignment, and verdicts.jsonl, one line a test cell."""
    grades, verdicts = course.root / "grades.csv", course.root / "verdicts.jsonl"
    with replacing(grades) as first, replacing(verdicts) as second:
        first.write(csv_bytes(["id", "assignment", "score", "max_score", "status", "late", "to_mark"], []))
        for line in each_line(course):
            facts = [line.student, line.assignment, line.score, line.max_score, _status(line), _late(line)]
            first.write(csv_rows([[*facts, "yes" if line.to_mark else "no"]]))
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
        raise CourseError(f"Nothing was written. {' '.join(said)}")
    return lines


def warnings(lines: Iterable[Line]) -> list[str]:
    """What a person who takes these grades elsewhere should know first."""
    unmarked, gone, ungraded, count, assignment = list[str](), list[str](), list[str](), 0, ""
    for line in lines:
        count, assignment = count + 1, line.assignment
        ungraded += [line.student] if line.ungraded else []
        unmarked += [line.student] if line.to_mark else []
        gone += [line.student] if line.gone else []
    found = []
    if unmarked:
        found.append(
            f"{len(unmarked)} of {count} scores are not complete: answers still wait to be marked "
            f"({_some(unmarked)}). To mark them: bncourse mark {assignment}"
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
