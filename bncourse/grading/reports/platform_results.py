"""A record in; what Gradescope and PrairieLearn read of a graded submission out. Nothing hidden is in it.

A message is the one that the student's feedback page shows, without an expected value and without a hidden test.
"""

from collections.abc import Sequence
from typing import Any

from bncourse.grading.core.records import Master, SubmissionRecord

LEVELS = {
    "full": "in the full sandbox",
    "no-filter": "in the sandbox",
    "user": "as a user of its own",
    "process": "as the grader's own user",
}
"""How a student's code ran, in words."""


def gradescope_results(
    record: SubmissionRecord | None,
    score: float,
    *,
    status: str,
    late: float = 0.0,
    to_mark: Sequence[str] | bool = (),
) -> dict[str, Any]:
    """Return Gradescope's results.json: one entry a test.

    Parameters
    ----------
    record : SubmissionRecord, optional
        None where nothing was graded.
    score : float
        The points, without those that a person gives yet.
    status : str
        In words.
    late : float
        Points that were taken off.
    to_mark : sequence of str, or bool
        Written answers that a person marks, or whether there are any.
    """
    tests = [
        {
            "name": verdict.grade_id,
            "score": verdict.points,
            "max_score": verdict.max_points,
            "status": "passed" if verdict.points == verdict.max_points else "failed",
            "output": verdict.message,
            "output_format": "text",
            "visibility": "visible",
        }
        for verdict in (record.verdicts if record else ())
    ]
    output = "\n".join(filter(None, [f"Status: {status}.", *_notes(record, late, to_mark)]))
    shown = {"visibility": "visible", "stdout_visibility": "hidden"}
    return {"score": score, "output": output, "output_format": "text", **shown, "tests": tests}


def prairielearn_results(record: SubmissionRecord, master: Master, lacks: Sequence[str] = ()) -> dict[str, Any]:
    """Return PrairieLearn's results.json: the share of the points that tests give, and one entry a test."""
    highest = sum(cell.points for cell in master.cells if cell.kind == "test")
    tests = [
        {
            "name": verdict.grade_id,
            "points": verdict.points,
            "max_points": verdict.max_points,
            "output": verdict.message,
        }
        for verdict in record.verdicts
    ]
    written = [cell.grade_id for cell in master.cells if cell.kind == "written"]
    result: dict[str, Any] = {
        "gradable": record.status != "unreadable",
        "score": record.score / highest if highest else 0.0,
        "output": "\n".join([f"Status: {record.status}.", *_notes(record, 0.0, written), how_it_ran(record, lacks)]),
        "tests": tests,
    }
    if record.status == "unreadable":
        result["format_errors"] = [record.reason]
    return result


def how_it_ran(record: SubmissionRecord, lacks: Sequence[str] = ()) -> str:
    """Say by name at which level the code ran, and what of the full sandbox was missing there."""
    without = f", without {', '.join(lacks)}: this container does not allow more" if lacks else ""
    return f"Sandbox level {record.level}: the code ran {LEVELS.get(record.level, 'at this level')}{without}."


def _notes(record: SubmissionRecord | None, late: float, to_mark: Sequence[str] | bool) -> list[str]:
    notes = [f"Late, {-late:.3g} points."] if late else []
    if to_mark is True:
        notes.append("Written answers are not marked yet.")
    elif to_mark:
        notes.append(f"Marked by a person: {', '.join(to_mark)}.")
    return notes + ([record.reason, *record.repairs, *record.notes] if record else [])
