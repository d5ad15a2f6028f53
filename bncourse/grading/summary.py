"""The tables that end a grading run: the class's marks, and what needs a look and why."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bncourse.grading.course import Course
from bncourse.grading.export import lines_of
from bncourse.grading.records import SubmissionRecord
from bncourse.grading.regrade import Change

COLORS = {"correct": "green", "wrong": "yellow", "not attempted": "dim"}
MOST_ROWS = 40


def class_table(course: Course, assignment: str) -> Table:
    """One row a student; only a summary row where the class is large."""
    lines = lines_of(course, assignment)
    title = f"{assignment}: {len(lines)} submissions"
    if len(lines) > MOST_ROWS:
        title += f", the first {MOST_ROWS} shown"
    table = Table("student", "points", "of", "status", "wrong", title=title)
    for line in lines[:MOST_ROWS]:
        status = line.record.status if line.record else "not graded"
        verdicts = line.record.verdicts if line.record else ()
        lost = [f"{v.grade_id} ({v.belief})" if v.belief else v.grade_id for v in verdicts if v.points < v.max_points]
        shown = ", ".join(lost[:4]) + (f" and {len(lost) - 4} more" if len(lost) > 4 else "")
        points = f"{line.score:g}{'+' if line.to_mark else ''}"
        status_text = Text(status, COLORS.get(status, "red"))
        table.add_row(Text(line.student), points, f"{line.max_score:g}", status_text, Text(shown))
    if any(line.to_mark for line in lines):
        table.caption = "+ written answers still wait to be marked (formgrader)"
    return table


def needs_a_look(records: Sequence[SubmissionRecord]) -> Table | None:
    """Submissions that are neither right, wrong nor untouched, and why; None if there are none."""
    rows = [record for record in records if record.status not in COLORS]
    if not rows:
        return None
    title = f"{len(rows)} need a look" + (f", the first {MOST_ROWS} shown" if len(rows) > MOST_ROWS else "")
    table = Table("student", "status", "why", title=title)
    for record in rows[:MOST_ROWS]:
        table.add_row(Text(record.student), Text(record.status, "red"), Text(why(record)))
    return table


def why(record: SubmissionRecord) -> str:
    """In one line, what an instructor should know about a submission."""
    troubles = [v for v in record.verdicts if v.outcome in ("crashed", "timeout", "out of memory", "needs review")]
    parts = [record.reason, *record.repairs[:3]]
    if len(record.repairs) > 3:
        parts.append(f"and {len(record.repairs) - 3} more repairs")
    parts += [f"{verdict.grade_id}: {verdict.message.splitlines()[0]}" for verdict in troubles[:3] if verdict.message]
    return "; ".join(part for part in parts if part)


def changes_table(changes: Sequence[Change]) -> Table:
    """Whose marks change, and in which cells."""
    table = Table("student", "before", "after", "where", title="Marks that change")
    for change in changes[:MOST_ROWS]:
        where = ", ".join(f"{name} {old:g} -> {new:g}" for name, old, new in change.cells)
        table.add_row(Text(change.student), f"{change.before:g}", f"{change.after:g}", Text(where))
    if len(changes) > MOST_ROWS:
        table.caption = f"and {len(changes) - MOST_ROWS} more"
    return table
