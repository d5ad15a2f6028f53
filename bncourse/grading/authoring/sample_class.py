"""A description of a class in; submissions out, each with the marks that its code deserves."""

import copy
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.core.records import Master, Outcome
from bncourse.grading.core.regions import SOLUTION
from bncourse.grading.core.render import Notebook, as_bytes


@dataclass(frozen=True)
class SampleStudent:
    """One student of the sample class: what they hand in, and what it deserves."""

    id: str
    story: str
    status: Outcome
    begins: str = "solution"
    """Where they start from: the master's solution, or the release."""
    answers: dict[str, str] = field(default_factory=dict)
    """What they answer otherwise, by the cell's grade_id."""
    unfinished: tuple[str, ...] = ()
    """Answers left as they were released."""
    drafts: dict[str, str] = field(default_factory=dict)
    """Copies of a cell, with its id, that stand above it."""
    tags: dict[str, list[str]] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)
    """Test cells that they rewrite."""
    cut_off: bool = False
    lost: dict[str, float] = field(default_factory=dict)
    """Points lost, by test cell."""

    def deserves(self, master: Master) -> float:
        """The autograded points that this student's code deserves."""
        if self.begins == "release" or self.cut_off:
            return 0.0
        return sum(cell.points for cell in master.cells if cell.kind == "test") - sum(self.lost.values())


@dataclass(frozen=True)
class SampleClass:
    """The sample class of an assignment."""

    students: tuple[SampleStudent, ...]
    written: dict[str, str]
    """Written answers of those who start from the solution."""


def load_sample_class(course: Course, assignment: str) -> SampleClass:
    """Read the class that lies beside the masters.

    Raises
    ------
    CourseError
        If the assignment has no sample class, or the file cannot be used.
    """
    path = course.masters.parent / "classes" / f"{assignment}.toml"
    if not path.is_file():
        raise CourseError(f"There is no sample class for {assignment!r}: {path} does not exist.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        students = tuple(SampleStudent(**entry) for entry in content["student"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CourseError(f"{path} cannot be used: {error}") from error
    return SampleClass(students, dict(content.get("written", {})))


def write_sample_class(course: Course, assignment: str, *, copies: int = 1) -> list[Path]:
    """Hand in for everybody in the sample class; returns the files that were written.

    What is there already, and the same, is left alone.

    Parameters
    ----------
    course : Course
    assignment : str
    copies : int
        How many times each student hands in, under ids such as ada-0002.

    Raises
    ------
    CourseError
        If the assignment is not released, has no sample class, or students outside of it have handed in.
    """
    sample = load_sample_class(course, assignment)
    master = course.master(assignment)
    path = course.notebook("release", assignment)
    if not path.is_file():
        raise CourseError(f"{path} does not exist. Type first: bncourse release {assignment}")
    released = json.loads(path.read_bytes())
    names = {name: (student, number) for student in sample.students for name, number in _names(student, copies)}
    others = sorted(set(course.students(assignment)) - {name for name, _ in names.items()})
    if others and not _is_sample(course, others, sample):
        raise CourseError(f"{others[0]} has handed in and is not of the sample class. Use another --course folder.")
    written = []
    for name, (student, number) in names.items():
        target = course.notebook("submitted", assignment, name)
        content = submission(student, master, released, sample.written, number)
        if not target.is_file() or target.read_bytes() != content:
            write(target, content)
            written.append(target)
    return written


def submission(
    student: SampleStudent, master: Master, released: Notebook, written: dict[str, str], copy_: int
) -> bytes:
    """The file that a student hands in."""
    notebook = copy.deepcopy(released)
    solutions = {cell.grade_id: _solved(cell.source) for cell in master.cells if cell.kind == "answer"}
    answers = {**solutions, **written} if student.begins == "solution" else {}
    answers = {name: text for name, text in answers.items() if name not in student.unfinished}
    answers.update({name: text.strip("\n") for name, text in student.answers.items()})
    answers.update(student.tests)
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        name = cell["id"]
        if name in student.drafts:
            cells.append({**copy.deepcopy(cell), "id": f"{name}-draft", "source": student.drafts[name]})
        cell["source"] = answers.get(name, cell["source"])
        if name in student.tags:
            cell["metadata"]["tags"] = student.tags[name]
        cells.append(cell)
    notebook["cells"] = cells
    if copy_ > 1:
        note = {"cell_type": "markdown", "id": "copy", "metadata": {}, "source": f"Copy {copy_}."}
        cells.append(note)
    lines = as_bytes(notebook).split(b"\n")
    return b"\n".join(lines[: len(lines) // 2] if student.cut_off else lines)


def _names(student: SampleStudent, copies: int) -> list[tuple[str, int]]:
    if copies == 1:
        return [(student.id, 1)]
    return [(f"{student.id}-{number:04}", number) for number in range(1, copies + 1)]


def _is_sample(course: Course, names: list[str], sample: SampleClass) -> bool:
    known = {student.id for student in sample.students}
    return all(name.rsplit("-", 1)[0] in known for name in names)


def _solved(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if SOLUTION.begin not in line and SOLUTION.end not in line)
