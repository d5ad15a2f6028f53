"""Grade a class: read what was handed in, have the engine grade what changed, write everything down.

The engine, `engine.Grader`, runs the code. This file decides what to run and where the results go.
"""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bncourse.grading import export, render
from bncourse.grading.autograded import autograded_notebook
from bncourse.grading.course import Course, CourseError, write
from bncourse.grading.gradebook import GradebookWriter
from bncourse.grading.nbgrader_settings import late_penalty
from bncourse.grading.reading import added_cells, attempted
from bncourse.grading.records import Master, SubmissionRecord, Verdict
from bncourse.grading.repair import Reading, read_submission
from bncourse.grading.stored import Kept

if TYPE_CHECKING:
    from bncourse.grading.engine import Grader

MAX_BYTES = 25 * 2**20
"""Files larger than this are listed, not read."""

Progress = Callable[[SubmissionRecord, bool], None]
"""Called for each submission with its record, and whether it was graded now."""


class HandedIn(NamedTuple):
    """A student's file, or the reason why it was not read."""

    content: bytes
    reason: str = ""


@dataclass(frozen=True)
class Run:
    """What a run did."""

    records: tuple[SubmissionRecord, ...]
    """All submissions of the assignment, by student."""
    graded: int
    """How many of them were graded now; the others had not changed."""


def read_file(path: Path) -> HandedIn:
    """Read what a student handed in, unless it is a link, a pipe, a device, or too large."""
    try:
        if path.parent.is_symlink():
            return HandedIn(b"", "the folder is a link, which is not followed")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        beside = sorted(other.name for other in path.parent.glob("*.ipynb"))[:3]
        return HandedIn(b"", f"there is no file named {path.name}" + (f", but {', '.join(beside)}" if beside else ""))
    except OSError as error:
        what = "it is a link, which is not followed" if path.is_symlink() else error.strerror
        return HandedIn(b"", f"{path.name} cannot be read: {what}")
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            return HandedIn(b"", f"{path.name} is not a plain file")
        if facts.st_size > MAX_BYTES:
            return HandedIn(
                b"", f"{path.name} has {facts.st_size >> 20} MB; files over {MAX_BYTES >> 20} MB are not read"
            )
        return HandedIn(file.read(MAX_BYTES + 1))


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
        Makes the engine; called only if there is something to grade.
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
    unknown = sorted(set(students) - set(everybody))
    if unknown:
        raise CourseError(f"{unknown[0]!r} has handed in nothing for {assignment}.")
    if not everybody:
        raise CourseError(f"Nobody has handed in {assignment}: {course.root / 'submitted'} holds none.")
    released = load_release(course, assignment)
    graded = 0
    with GradebookWriter(course, master, late_penalty(course)) as writer:
        key = Key(master, level, seed)
        kept = writer.kept()
        todo: list[str] = []
        for student in students or everybody:
            old = None if force else _still_valid(course, assignment, student, kept.get(student), key)
            if old is None:
                todo.append(student)
            elif progress:
                progress(old, False)
        with ExitStack() as stack:
            engine = stack.enter_context(grader()) if todo else None
            for record in _grade(engine, course, master, todo) if engine else ():
                file = read_file(course.notebook("submitted", assignment, record.student))
                reading = read_submission(master, file.content)
                write_autograded(course, master, released, record, reading, file.content)
                writer.write(record, key.of(file), attempted(master, reading))
                graded += 1
                if progress:
                    progress(record, True)
        writer.flush()
        records = tuple(its.record for student, its in sorted(writer.kept().items()) if student in set(everybody))
    export.write_lists(course)
    return Run(records, graded)


def grade_one(grader: "Grader", course: Course, master: Master, student: str) -> SubmissionRecord:
    """Grade one student's file, or record why it cannot be read."""
    file = read_file(course.notebook("submitted", master.assignment, student))
    record = grader.grade(master, student, file.content)
    return not_read(record, master, file.reason) if file.reason else record


def not_read(record: SubmissionRecord, master: Master, reason: str) -> SubmissionRecord:
    """The record of a file that could not be read."""
    tests = (cell for cell in master.cells if cell.kind == "test")
    verdicts = tuple(Verdict(cell.grade_id, "unreadable", 0.0, cell.points) for cell in tests)
    return replace(record, status="unreadable", reason=reason, verdicts=verdicts)


class Key:
    """What a file was graded with, so that a change of any of it has it graded again."""

    def __init__(self, master: Master, level: str, seed: int) -> None:
        from bncourse.grading.engine import environment

        parts = [render.fingerprint(master), level, seed, environment(), code_digest()]
        self._base = hashlib.sha256(json.dumps(parts).encode())

    def of(self, file: HandedIn) -> str:
        """The key of a file."""
        digest = self._base.copy()
        digest.update(file.reason.encode() + b"\0" + file.content)
        return digest.hexdigest()


def code_digest() -> str:
    """SHA-256 of the package's code that decides a grade."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for room in ("diagnosis", "grading", "numpy_bn"):
        for path in sorted((package / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


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
    return released


def write_autograded(
    course: Course, master: Master, released: dict[str, Any], record: SubmissionRecord, reading: Reading, content: bytes
) -> None:
    """Write the notebook that graders see, and the timestamp beside it."""
    notebook = autograded_notebook(released, record, reading.answers, added_cells(master, reading, content))
    folder = course.folder("autograded", master.assignment, record.student)
    write(folder / f"{master.assignment}.ipynb", render.as_bytes(notebook))
    stamp = read_file(course.folder("submitted", master.assignment, record.student) / "timestamp.txt")
    if not stamp.reason and len(stamp.content) < 100:
        write(folder / "timestamp.txt", stamp.content)


def _grade(grader: "Grader", course: Course, master: Master, students: Collection[str]) -> Iterator[SubmissionRecord]:
    reasons: dict[str, str] = {}

    def handed_in() -> Iterator[tuple[str, bytes]]:
        for student in students:
            file = read_file(course.notebook("submitted", master.assignment, student))
            if file.reason:
                reasons[student] = file.reason
            yield student, file.content

    for record in grader.grade_many(master, handed_in()):
        reason = reasons.pop(record.student, "")
        yield not_read(record, master, reason) if reason else record


def _still_valid(course: Course, assignment: str, student: str, kept: Kept | None, key: Key) -> SubmissionRecord | None:
    if kept is None or not course.notebook("autograded", assignment, student).is_file():
        return None
    file = read_file(course.notebook("submitted", assignment, student))
    return kept.record if key.of(file) == kept.submitted else None
