"""What a changed test would change: whose marks, by how much, in which cell; nothing is written.

Only test cells that are not the same as when a submission was graded are run again; the verdicts of the others
are taken from the record, as long as what the student's process gets is the same.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bncourse.grading.course import Course, CourseError
from bncourse.grading.earlier import handed_in
from bncourse.grading.records import Master, SubmissionRecord, Verdict
from bncourse.grading.repair import read_submission
from bncourse.grading.run import not_read
from bncourse.grading.stamps import Grading
from bncourse.grading.stored import Kept, kept_records

if TYPE_CHECKING:
    from bncourse.grading.engine import Grader


@dataclass(frozen=True)
class Change:
    """One student whose marks would change."""

    student: str
    before: float
    after: float
    cells: tuple[tuple[str, float, float], ...]
    """Test cell, points before, points after."""


@dataclass(frozen=True)
class Preview:
    """What a regrade would do."""

    changes: tuple[Change, ...]
    compared: int
    """Students whose marks were compared."""
    cells_run: int
    """Test cells that had to be run again, over all students."""


def preview(
    course: Course,
    assignment: str,
    grader: "Callable[[], Grader]",
    *,
    level: str = "full",
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Preview:
    """Compare the marks that the gradebook holds with those that the master would give now.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded.
    """
    master = course.master(assignment)
    kept = kept_records(course, assignment)
    if not kept:
        raise CourseError(f"Nothing of {assignment} has been graded. Type first: bncourse grade {assignment}")
    way = Grading(master, level, seed)
    changes, cells_run = [], 0
    with ExitStack() as stack:
        engine: Grader | None = None
        for student, before in sorted(kept.items()):
            changed = _changed_tests(course, master, way, student, before)
            after = before.record
            if changed:
                engine = engine or stack.enter_context(grader())
                after = _regraded(engine, course, master, student, before.record, changed)
                cells_run += len(changed)
            change = compare(before.record, after)
            if change is not None:
                changes.append(change)
            if progress:
                progress(student)
    return Preview(tuple(changes), len(kept), cells_run)


def compare(before: SubmissionRecord, after: SubmissionRecord) -> Change | None:
    """The change from one record of a student to another; None if the marks are the same."""
    old, new = _points(before.verdicts), _points(after.verdicts)
    names = list(dict.fromkeys([*old, *new]))
    cells = tuple((name, old.get(name, 0.0), new.get(name, 0.0)) for name in names if old.get(name) != new.get(name))
    return Change(before.student, before.score, after.score, cells) if cells else None


def _changed_tests(course: Course, master: Master, way: Grading, student: str, before: Kept) -> frozenset[str]:
    """Test cells whose verdict may not be what it was."""
    file = handed_in(course, master, student)
    now = way.stamp(file, read_submission(master, file.content))
    if now.inputs != before.stamp.inputs:
        return frozenset(now.tests)
    return frozenset(name for name, digest in now.tests.items() if before.stamp.tests.get(name) != digest)


def _regraded(
    engine: "Grader", course: Course, master: Master, student: str, before: SubmissionRecord, changed: frozenset[str]
) -> SubmissionRecord:
    file = handed_in(course, master, student)
    tests = [cell.grade_id for cell in master.cells if cell.kind == "test"]
    cells = tuple(cell for cell in master.cells if cell.kind != "test" or cell.grade_id in changed)
    record = engine.grade(replace(master, cells=cells), student, file.content)
    if file.reason:
        return not_read(record, master, file.reason)
    verdicts = {verdict.grade_id: verdict for verdict in (*before.verdicts, *record.verdicts)}
    return replace(record, verdicts=tuple(verdicts[name] for name in tests))


def _points(verdicts: tuple[Verdict, ...]) -> dict[str, float]:
    return {verdict.grade_id: verdict.points for verdict in verdicts}


def differences(before: SubmissionRecord, after: SubmissionRecord) -> Iterator[str]:
    """Where two records of the same submission differ, in words; timings aside."""
    if before.status != after.status:
        yield f"status: {before.status} then, {after.status} now"
    old = {verdict.grade_id: replace(verdict, seconds=0.0) for verdict in before.verdicts}
    new = {verdict.grade_id: replace(verdict, seconds=0.0) for verdict in after.verdicts}
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield f"{name}: {_words(old.get(name))} then, {_words(new.get(name))} now"


def _words(verdict: Verdict | None) -> str:
    return f"{verdict.outcome}, {verdict.points:g} points, {verdict.message!r}" if verdict else "no verdict"
