"""A changed master in; whose marks would change, by how much and in which cell, out. Writes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import SubmissionRecord, Verdict
from bncourse.grading.gradebook.records_table import kept_records
from bncourse.grading.reports.changes import Change, Preview
from bncourse.grading.workflows.grade import Progress, grade_changed
from bncourse.grading.workflows.store import DryStore
from bncourse.grading.workflows.submission_process import SubmissionProcess

if TYPE_CHECKING:
    from bncourse.grading.engine.grader import Grader


def preview(
    course: Course,
    assignment: str,
    grader: "Callable[[], Grader]",
    *,
    level: str = "full",
    seed: int = 0,
    progress: Progress | None = None,
) -> Preview:
    """Compare the marks that the gradebook holds with those that the master would give now.

    Parameters
    ----------
    course, assignment
        What was graded.
    grader : callable
        Makes the engine; called only if code must be run.
    level, seed
        As the engine is made.
    progress : callable, optional
        Called with each student's id.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded.
    """
    master = course.master(assignment)
    kept = kept_records(course, assignment)
    if not kept:
        raise CourseError(f"Nothing of {assignment} has been graded. Type first: bncourse grade {assignment}")
    store = DryStore(kept)
    with SubmissionProcess(course, master) as process:
        grade_changed(store, process, kept, grader=grader, level=level, seed=seed, progress=progress)
    compared = (compare(kept[student].record, record) for student, record in sorted(store.records.items()))
    return Preview(tuple(change for change in compared if change), len(kept), len(store.records))


def compare(before: SubmissionRecord, after: SubmissionRecord) -> Change | None:
    """The change from one record of a student to another; None if the marks are the same."""
    old, new = _points(before.verdicts), _points(after.verdicts)
    names = list(dict.fromkeys([*old, *new]))
    cells = tuple((name, old.get(name, 0.0), new.get(name, 0.0)) for name in names if old.get(name) != new.get(name))
    return Change(before.student, before.score, after.score, cells) if cells else None


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
