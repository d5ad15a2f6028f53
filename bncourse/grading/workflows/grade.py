"""What a class handed in, in; gradebook, notebooks and lists out, for the submissions that changed.

The engine, `engine.grader.Grader`, runs the code, and a `Store` takes the records. This file decides what to run.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.student_ids import why_refused
from bncourse.grading.gradebook.fingerprints import Fingerprints
from bncourse.grading.reports import export
from bncourse.grading.submissions.submission import Submission
from bncourse.grading.workflows.store import CourseStore, Store
from bncourse.grading.workflows.submission_process import SubmissionProcess

if TYPE_CHECKING:
    from bncourse.grading.engine.grader import Grader

Progress = Callable[[str], None]
"""Called with each student's id when their submission is done."""


@dataclass(frozen=True)
class Run:
    """What a run did."""

    graded: int
    """Submissions that were graded now."""
    unchanged: int
    """Submissions that need not be graded again."""


def grade_class(
    course: Course,
    assignment: str,
    *,
    grader: "Callable[[], Grader]",
    level: str = "full",
    seed: int = 0,
    students: Sequence[str] = (),
    force: bool = False,
    progress: Progress | None = None,
    ask: Callable[[int], bool] | None = None,
) -> Run:
    """Grade what has changed since it was last graded; write gradebook, autograded notebooks and lists.

    Parameters
    ----------
    course, assignment
        What to grade.
    grader : callable
        Makes the engine; called only if there is something to grade. It is tried with the master's own solution
        before anything is written.
    level, seed
        As the engine is made; a submission is graded again where one of them differs.
    students : sequence of str
        Only these; if empty, everybody who has not left the class.
    force : bool
        Grade also what has not changed.
    progress : callable, optional
    ask : callable, optional
        Called where everybody would be graded again although no file need have changed, with their number; if it
        returns False, nobody is.

    Raises
    ------
    CourseError
        If there is no such assignment or student, nothing was handed in, or the release is not the master's.
    """
    master = course.master(assignment)
    everybody = course.students(assignment)
    chosen = list(dict.fromkeys(students)) or everybody
    unknown = sorted(set(chosen) - set(everybody))
    if unknown:
        raise CourseError(why_refused(unknown[0]) or f"{unknown[0]!r} has handed in nothing for {assignment}.")
    if not everybody:
        raise CourseError(f"Nobody has handed in {assignment}: {course.root / 'submitted'} holds none.")
    with only_run(course, assignment), SubmissionProcess(course, master) as process:
        with CourseStore(course, master, process) as store:
            chosen = chosen if students else store.members(chosen)
            again = store.graded_another_way(chosen, Fingerprints(master, level, seed))
            everybody_again = not force and len(again) > 1 and len(again) == len(store.graded(chosen))
            if everybody_again and ask is not None and not ask(len(again)):
                raise CourseError("Nothing was graded.")
            graded = grade_changed(
                store, process, chosen, grader=grader, level=level, seed=seed, force=force, progress=progress
            )
        export.write_lists(course)
    return Run(graded, len(chosen) - graded)


def grade_changed(
    store: Store,
    process: SubmissionProcess,
    students: Iterable[str],
    *,
    grader: "Callable[[], Grader]",
    level: str = "full",
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> int:
    """Grade the submissions whose fingerprint a store does not hold, and give it their records.

    Parameters
    ----------
    store : Store
    process : SubmissionProcess
        Reads what was handed in for the assignment.
    students : iterable of str
    grader, level, seed, force, progress
        As for `grade_class`.

    Returns
    -------
    int
        How many were graded. The engine is made for the first of them, and not at all if there is none.
    """
    master = process.master
    fingerprints = Fingerprints(master, level, seed)

    def changed() -> Iterator[Submission]:
        for student in students:
            digest = process.find(student)
            store.look_beside(student)
            if force or not digest or fingerprints.of(digest) != store.known(student):
                yield process.read(student, digest)
            elif progress:
                progress(student)

    graded, submissions = 0, changed()
    first = next(submissions, None)
    if first is None:
        return 0
    with grader() as engine:
        engine.prepare(master)
        for submission, record in engine.grade_all(master, chain([first], submissions)):
            store.write(submission, record)
            graded += 1
            if progress:
                progress(submission.student)
    return graded


@contextlib.contextmanager
def only_run(course: Course, assignment: str) -> Iterator[None]:
    """Keep other runs of the assignment out.

    Raises
    ------
    CourseError
        If another run grades it now.
    """
    folder = os.open(course.folder("release", assignment), os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CourseError(f"{assignment} is being graded by another run. Wait for it, or end it.") from error
        yield
    finally:
        os.close(folder)
