"""What a changed test would change: whose marks, by how much, in which cell; nothing is written.

Verdicts of tests that are the same as when a submission was graded are taken from its record. The others are judged
by what the student's code answered then, as long as they ask the same of it; only what is left is run.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.known import known
from bncourse.grading.core.records import Master, SubmissionRecord, Verdict
from bncourse.grading.engine.attempt import Plan
from bncourse.grading.engine.replaying import Replayer
from bncourse.grading.engine.shelf import FILE, Shelf
from bncourse.grading.gradebook.fingerprints import Grading
from bncourse.grading.gradebook.records_table import Kept, kept_records
from bncourse.grading.reports.changes import Change, How, Preview
from bncourse.grading.submissions.read import read_submission
from bncourse.grading.submissions.upgrade import handed_in

if TYPE_CHECKING:
    from bncourse.grading.engine.grader import Grader


def preview(
    course: Course,
    assignment: str,
    grader: "Callable[[], Grader]",
    *,
    level: str = "full",
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[str], None] | None = None,
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
    jobs : int
        Students that are looked at side by side.
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
    students = sorted(kept)
    changes, ways, cells_run = [], list[How](), 0
    with ExitStack() as stack:
        again = _Again(course, master, grader, level, seed, stack)
        judged = lambda name: again.verdicts(name, kept[name])  # noqa: E731
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        for student, found in zip(students, pool.map(judged, students), strict=True):
            verdicts, how, cells = found
            before = kept[student].record
            ways.append(how)
            cells_run += cells
            change = compare(before, replace(before, verdicts=verdicts))
            if change is not None:
                changes.append(change)
            if progress:
                progress(student)
    return Preview(tuple(changes), len(kept), ways.count("stored"), ways.count("run"), cells_run)


class _Again:
    """Judges submissions anew, with as little running as possible."""

    def __init__(
        self, course: Course, master: Master, grader: "Callable[[], Grader]", level: str, seed: int, stack: ExitStack
    ) -> None:
        self.course, self.master, self.grader, self.stack = course, master, grader, stack
        self.way = Grading(master, level, seed)
        self.replayer = Replayer(Shelf(course.results(master.assignment) / FILE), level, seed)
        stack.callback(self.replayer.close)
        self._guard = threading.Lock()
        self._made: Grader | None = None

    def _engine(self) -> "Grader":
        with self._guard:
            if self._made is None:
                self._made = self.stack.enter_context(self.grader())
            return self._made

    def _doubtful(self) -> list[str]:
        """The tests that the master's own solution does not pass."""
        by_store = self.replayer.doubtful(self.master)
        return self._engine().trials.doubtful(self.master) if by_store is None else by_store

    def verdicts(self, student: str, before: Kept) -> tuple[tuple[Verdict, ...], How, int]:
        """The verdicts as they would be now, where they come from, and how many tests were run."""
        file = handed_in(self.course, self.master, student)
        reading = read_submission(self.master, file.content)
        now = self.way.stamp(file, reading)
        tests = [cell for cell in self.master.cells if cell.kind == "test"]
        if file.reason or reading.reason:
            none = tuple(Verdict(cell.grade_id, "unreadable", 0.0, cell.points) for cell in tests)
            return none, "unchanged", 0
        changed = {name for name, digest in now.tests.items() if before.stamp.tests.get(name) != digest}
        if now.inputs != before.stamp.inputs:
            changed = set(now.tests)
        plan = Plan(self.master, reading)
        plan.end("show")  # what cells print decides no mark
        again = changed | _needed(self.master, changed)
        plan.settle(verdict for verdict in before.record.verdicts if verdict.grade_id in set(now.tests) - again)
        if not changed:
            return plan.all_verdicts(), "unchanged", 0
        plan.doubt(self._doubtful())
        if not plan.open_tests() or self.replayer.judge(plan):
            return plan.all_verdicts(), "stored", 0
        cells = len(changed & set(plan.open_tests()))
        self._engine().carry_out(plan)
        return plan.all_verdicts(), "run", cells


def _needed(master: Master, changed: set[str]) -> set[str]:
    """Test cells before the changed ones that bind what those read, and what these read in turn."""
    facts = known(master)
    needed, wanted = set[str](), set[str]()
    for cell in reversed([cell for cell in master.cells if cell.kind == "test"]):
        if cell.grade_id in changed or facts.binds[cell.grade_id] & wanted:
            needed.add(cell.grade_id)
            wanted |= facts.loads[cell.grade_id]
    return needed - changed


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
