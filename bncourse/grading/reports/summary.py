"""Records in; the tables out that end a grading run."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.core.student_ids import shown_id
from bncourse.grading.reports.changes import Change, Preview
from bncourse.grading.reports.class_lines import Line

COLORS = {"correct": "green", "wrong": "yellow", "not attempted": "dim"}
MOST_ROWS = 40
FIRST_LOOKS = ("needs review", "unreadable", "crashed", "timeout", "out of memory", "repaired")
"""Statuses in the order in which they ask for a person: first those that nobody else can decide."""


def tables(lines: Iterable[Line], assignment: str, *, most: int | None = MOST_ROWS) -> list[Table]:
    """The class's marks, one row a student, and what needs a look and why, most urgent first.

    Of a large class `most` rows are shown; all of them if it is None.
    """
    marks = Table("student", "points", "of", "status", "wrong")
    look = Table("student", "status", "why")
    counts = Counter[str]()
    waiting, gone, looks = False, list[str](), list[tuple[int, str, SubmissionRecord]]()
    for line in lines:
        counts["all"] += 1
        gone += [line.student] if line.gone else []
        waiting = waiting or line.to_mark
        if most is None or counts["all"] <= most:
            marks.add_row(*_row(line))
        record = line.record
        if record is not None and record.status not in COLORS:
            urgency = FIRST_LOOKS.index(record.status) if record.status in FIRST_LOOKS else -1
            looks.append((urgency, line.student, record))
    for _, student, record in sorted(looks, key=lambda each: each[:2])[:most]:
        look.add_row(Text(shown_id(student)), Text(record.status, "red"), Text(why(record)))
    marks.title = f"{assignment}: {counts['all']} submissions" + _shown(counts["all"], most)
    look.title = f"{len(looks)} need a look" + _shown(len(looks), most)
    captions = [f"+ written answers still wait to be marked: bncourse mark {assignment}"] if waiting else []
    captions += [f"no longer in the folder submitted: {', '.join(gone[:5])}"] if gone else []
    marks.caption = "\n".join(captions) or None
    return [marks, look] if looks else [marks]


def _shown(count: int, most: int | None) -> str:
    return f", the first {most} shown" if most is not None and count > most else ""


def _row(line: Line) -> tuple[Text | str, ...]:
    status = line.record.status if line.record else "not graded"
    verdicts = line.record.verdicts if line.record else ()
    lost = [f"{v.grade_id} ({v.belief})" if v.belief else v.grade_id for v in verdicts if v.points < v.max_points]
    shown = ", ".join(lost[:4]) + (f" and {len(lost) - 4} more" if len(lost) > 4 else "")
    points = f"{line.score:g}{'+' if line.to_mark else ''}" + (f" (late, {-line.late:.3g})" if line.late else "")
    student = Text(shown_id(line.student))
    return student, points, f"{line.max_score:g}", Text(status, COLORS.get(status, "red")), Text(shown)


def why(record: SubmissionRecord) -> str:
    """In one line, what an instructor should know about a submission."""
    troubles = [v for v in record.verdicts if v.outcome in ("crashed", "timeout", "out of memory", "needs review")]
    parts = [record.reason, *record.repairs[:3]]
    if len(record.repairs) > 3:
        parts.append(f"and {len(record.repairs) - 3} more repairs")
    parts += [f"{verdict.grade_id}: {verdict.message.splitlines()[0]}" for verdict in troubles[:3] if verdict.message]
    *first, last = [part for part in parts if part] or [""]
    return "; ".join([*(part.rstrip(".") for part in first), last])


def changes_table(changes: Sequence[Change]) -> Table:
    """Whose marks change, and in which cells."""
    table = Table("student", "before", "after", "where", title="Marks that change")
    for change in changes[:MOST_ROWS]:
        where = ", ".join(f"{name} {old:g} -> {new:g}" for name, old, new in change.cells)
        table.add_row(Text(shown_id(change.student)), f"{change.before:g}", f"{change.after:g}", Text(where))
    if len(changes) > MOST_ROWS:
        table.caption = f"and {len(changes) - MOST_ROWS} more"
    return table


def sources_line(result: Preview) -> str:
    """Where the verdicts of a preview come from."""
    if not result.run:
        return "No test has changed since, so nothing was judged again."
    rest = result.compared - result.run
    unchanged = f", {rest} not touched by the change" if rest else ""
    return f"Of {result.compared} students: {result.run} run again{unchanged}."
