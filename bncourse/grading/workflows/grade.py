"""Grade a class: read what was handed in, have the engine grade what changed, write everything down.

The engine, `engine.Grader`, runs the code. This file decides what to run and where the results go.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.core import render
from bncourse.grading.core.records import Master, SubmissionRecord, Verdict
from bncourse.grading.engine.preflight import own_solution
from bncourse.grading.engine.shelf import FILE, Shelf
from bncourse.grading.gradebook.fingerprints import Grading
from bncourse.grading.gradebook.late_penalty import late_penalty
from bncourse.grading.gradebook.records_table import results_in_use
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.oracle.transcript import results_key
from bncourse.grading.reports import export
from bncourse.grading.reports.autograded import autograded_notebook
from bncourse.grading.submissions.attempted import added_cells, attempted
from bncourse.grading.submissions.files import HandedIn, read_file
from bncourse.grading.submissions.read import Reading, read_submission
from bncourse.grading.submissions.upgrade import handed_in

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
        Only these; everybody if empty.
    force : bool
        Grade also what has not changed.
    progress : callable, optional

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
        raise CourseError(f"{unknown[0]!r} has handed in nothing for {assignment}.")
    if not everybody:
        raise CourseError(f"Nobody has handed in {assignment}: {course.root / 'submitted'} holds none.")
    released = load_release(course, assignment)
    graded = 0
    with GradebookWriter(course, master, late_penalty(course)) as writer:
        way = Grading(master, level, seed)
        known = {} if force else writer.known()
        todo: list[str] = []
        for student in chosen:
            if _has_changed(course, master, student, known.get(student), way):
                todo.append(student)
            elif progress:
                progress(student)
        with ExitStack() as stack:
            engine = stack.enter_context(grader()) if todo else None
            if engine:
                engine.prepare(master)
            for record, file in _grade(engine, course, master, todo) if engine else ():
                reading = read_submission(master, file.content)
                write_autograded(course, master, released, record, reading, file.content)
                writer.write(record, way.stamp(file, reading), attempted(master, reading))
                graded += 1
                if progress:
                    progress(record.student)
    if todo:
        forget_transcripts(course, master, level)
    export.write_lists(course)
    return Run(graded, len(chosen) - graded)


def forget_transcripts(course: Course, master: Master, level: str) -> None:
    """Throw away what earlier files of the students answered."""
    in_use = {results_key(master, own_solution(master), level), *results_in_use(course, master.assignment)}
    with closing(Shelf(course.results(master.assignment) / FILE)) as shelf:
        shelf.keep_only(in_use)


def grade_one(grader: "Grader", course: Course, master: Master, student: str) -> SubmissionRecord:
    """Grade one student's file, or record why it cannot be read."""
    file = handed_in(course, master, student)
    record = grader.grade(master, student, file.content)
    return not_read(record, master, file.reason) if file.reason else record


def not_read(record: SubmissionRecord, master: Master, reason: str) -> SubmissionRecord:
    """The record of a file that could not be read."""
    tests = (cell for cell in master.cells if cell.kind == "test")
    verdicts = tuple(Verdict(cell.grade_id, "unreadable", 0.0, cell.points) for cell in tests)
    return replace(record, status="unreadable", reason=reason, verdicts=verdicts)


def load_release(course: Course, assignment: str) -> dict[str, Any]:
    """The released notebook.

    Raises
    ------
    CourseError
        If the assignment was not released, or its master has changed since.
    """
    path = course.notebook("release", assignment)
    try:
        released: dict[str, Any] = json.loads(path.read_bytes())
        same = released["metadata"]["bncourse"]["digest"] == course.master(assignment).metadata["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise CourseError(
            f"{assignment} is not released as its master is now. Type first: bncourse release {assignment}"
        )
    for cell in released["cells"]:
        cell["source"] = "".join(cell["source"])  # which Jupyter writes line by line
    return released


def write_autograded(
    course: Course, master: Master, released: dict[str, Any], record: SubmissionRecord, reading: Reading, content: bytes
) -> None:
    """Write the notebook that graders see, and beside it what nbgrader needs for the date and to give it back."""
    notebook = autograded_notebook(released, record, reading.answers, added_cells(master, reading, content))
    folder = course.folder("autograded", master.assignment, record.student)
    write(folder / f"{master.assignment}.ipynb", render.as_compact_bytes(notebook))
    submitted = course.folder("submitted", master.assignment, record.student)
    for name in ("timestamp.txt", "submission_secret.txt"):
        file = read_file(submitted / name) if (submitted / name).is_file() else None
        if file and not file.reason and len(file.content) < 200:
            write(folder / name, file.content)


def _grade(
    grader: "Grader", course: Course, master: Master, students: Collection[str]
) -> Iterator[tuple[SubmissionRecord, HandedIn]]:
    """Grade these students' files; yields each record with the file that it is about."""
    waiting: dict[str, HandedIn] = {}

    def files() -> Iterator[tuple[str, bytes]]:
        for student in students:
            waiting[student] = file = handed_in(course, master, student)
            yield student, file.content

    for record in grader.grade_many(master, files()):
        file = waiting.pop(record.student)
        yield (not_read(record, master, file.reason) if file.reason else record), file


def _has_changed(course: Course, master: Master, student: str, known: str | None, way: Grading) -> bool:
    """Whether a submission must be graded again."""
    if not known or not course.notebook("autograded", master.assignment, student).is_file():
        return True
    return way.whole(handed_in(course, master, student)) != known
