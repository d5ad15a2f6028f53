"""A platform's own gradebook file in; the same file with an assignment's marks out, and nothing else changed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.core.plain_text import inert
from bncourse.grading.reports.class_lines import Line
from bncourse.grading.reports.export import lines_to_export
from bncourse.grading.reports.raw_csv import Cell, RawCsv
from bncourse.grading.submissions.downloads import Person
from bncourse.grading.submissions.origins import read_origins
from bncourse.grading.workflows.roster import COLUMNS, Matcher, Member

_NUMBERED = re.compile(r"(?P<name>.*?)\s*\((?P<id>\d+)\)\s*", re.DOTALL)
"""A column of Canvas: the assignment's title and its number."""
_PARTICIPANT = re.compile(r"\D*(\d+)")
"""A Moodle worksheet's first cell, such as `Participant 7001`, in any language."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DECIMAL_COMMA = re.compile(r"\d+,\d+")


class Filled(NamedTuple):
    """What became of a gradebook file."""

    path: Path
    column: str
    changed: int
    """Cells that hold another mark now."""
    same: int
    strangers: tuple[str, ...]
    """Rows of nobody in the class list, left as they were."""
    left_out: tuple[str, ...]
    """Students of the class list who have no row in the file."""
    notes: tuple[str, ...] = ()


def fill_in(
    course: Course,
    assignment: str,
    style: str,
    file: Path,
    to: Path | None = None,
    *,
    column: str | None = None,
    complete: bool = False,
    missing: str = "zero",
) -> Filled:
    """Write an assignment's marks into a copy of a platform's gradebook file.

    Parameters
    ----------
    course, assignment
        Which marks.
    style : {"canvas", "moodle", "gradescope", "csv"}
        Whose file it is. Of Moodle it is the assignment's *grading worksheet*.
    file : Path
        As the platform lets it be downloaded.
    to : Path, optional
        Where to; if left out, a file of the same name in the course folder's results.
    column : str, optional
        The heading of the column that takes the marks; if left out, the one that bears the assignment's name or
        title, and of a Moodle worksheet *Grade*.
    complete : bool
        Refuse where a score is not complete.
    missing : {"zero", "blank"}
        What is written for students who handed in nothing: no points, or nothing, so that the cell stays as it is.

    Raises
    ------
    CourseError
        If nothing was graded, or the file has no such column or none that names students.
    """
    try:
        table = RawCsv(file.read_bytes(), file.name)
    except OSError as error:
        raise CourseError(f"{file} cannot be read: {error.strerror}.") from error
    lines = {line.student: line for line in lines_to_export(course, assignment, complete=complete)}
    if not table.rows:
        raise CourseError(f"{file} is empty. Download it again.")
    headings = [cell.value.strip() for cell in table.rows[0]]
    names = {assignment, str(course.master(assignment).title)}
    at = _column(headings, {"grade"} if style == "moodle" else names, column, file)
    numbers = {
        origin.id: who for who, origin in read_origins(course, assignment).items() if origin.platform == "moodle"
    }
    finder = _Finder(headings, list(lines.values()), numbers if style == "moodle" else {})
    comma = _writes_decimal_commas(table)
    values, same, found, strangers, notes = {}, 0, dict[str, int](), list[str](), list[str]()
    for number, row in enumerate(table.rows[1:], start=1):
        if not any(cell.value.strip() for cell in row):
            continue
        if _is_no_student(row):
            notes += _other_maximum(row, at, next(iter(lines.values())).max_score)
            continue
        student = finder(row)
        if student is None:
            strangers.append(inert(", ".join(filter(None, (cell.value for cell in row[:2]))), 80))
            continue
        if student in found:
            raise CourseError(f"{file}: rows {found[student] + 1} and {number + 1} are both of {student}.")
        found[student] = number
        if at >= len(row):
            raise CourseError(f"{file}: row {number + 1} has no cell below {headings[at]!r}. Download it again.")
        line = lines[student]
        if line.ungraded or (line.absent and missing == "blank"):
            continue
        mark = _written(line.score, comma=comma)
        if _is_same(row[at].value, line.score):
            same += 1
        else:
            values[number, at] = mark
    if not found:
        raise CourseError(f"{file} names nobody of the class list. Enter it first: bncourse roster import FILE")
    to = to or course.results(assignment) / file.name
    if to.is_dir():
        raise CourseError(f"{to} is a folder. Expected a file to write to.")
    write(to, table.changed(values))
    left_out = tuple(sorted(lines.keys() - found.keys()))
    return Filled(to, headings[at], len(values), same, tuple(strangers), left_out, tuple(notes))


def _column(headings: Sequence[str], names: set[str], wanted: str | None, file: Path) -> int:
    """The one column that bears one of these names; a number that Canvas writes behind it does not count."""
    names = {wanted} if wanted is not None else names
    plain = {name.strip().casefold() for name in names}
    exact = [at for at, heading in enumerate(headings) if heading.casefold() in plain]
    bare = [
        at
        for at, heading in enumerate(headings)
        if (m := _NUMBERED.fullmatch(heading)) and m["name"].casefold() in plain
    ]
    found = exact or bare
    if len(found) == 1:
        return found[0]
    shown = ", ".join(inert(heading, 40) for heading in headings[:30])
    which = f"{len(found)} columns" if found else "no column"
    raise CourseError(
        f"{file} has {which} named {' or '.join(sorted(names))}. Say with --column which one takes the marks: {shown}"
    )


class _Finder:
    """The student of a row: by number, login or e-mail address, and else by a name that only one bears."""

    def __init__(self, headings: Sequence[str], lines: Sequence[Line], participants: Mapping[str, str]) -> None:
        small = [heading.lower() for heading in headings]
        self._at = {what: [at for at, each in enumerate(small) if each in names] for what, names in COLUMNS.items()}
        self._participants = participants
        members = [Member(line.student, line.first, line.last, line.email, line.lms_id) for line in lines]
        self._match, self._known = Matcher(members), {line.student for line in lines}

    def __call__(self, row: Sequence[Cell]) -> str | None:
        """Return the student's id, or None."""
        if self._participants:
            number = _PARTICIPANT.fullmatch(row[0].value.strip())
            if number and number[1] in self._participants:
                return self._participants[number[1]] if self._participants[number[1]] in self._known else None
        sure = {student for person in self._persons(row) if (student := self._match(person)[0])}
        if not sure:
            sure = {student for name in self._names(row) if (student := self._match(Person(name=name))[0])}
        return sure.pop() if len(sure) == 1 else None

    def _persons(self, row: Sequence[Cell]) -> Iterator[Person]:
        for at in self._at["lms_id"]:
            yield Person(id=_value(row, at))
        for at in self._at["student"] + self._at["login"]:
            yield Person(login=_value(row, at))
        for cell in row:
            if _EMAIL.fullmatch(cell.value.strip()):
                yield Person(email=cell.value.strip())

    def _names(self, row: Sequence[Cell]) -> Iterator[str]:
        for at in self._at["name"]:
            yield _value(row, at)
        if self._at["first"] and self._at["last"]:
            yield f"{_value(row, self._at['first'][0])} {_value(row, self._at['last'][0])}"


def _value(row: Sequence[Cell], at: int) -> str:
    return row[at].value.strip() if at < len(row) else ""


def _is_no_student(row: Sequence[Cell]) -> bool:
    """Whether this is a row of Canvas about the columns: the points possible, and how marks are posted."""
    first = row[0].value.strip().lower()
    return first == "points possible" or (not first and not any(cell.value.strip() for cell in row[:5]))


def _other_maximum(row: Sequence[Cell], at: int, highest: float) -> list[str]:
    if row[0].value.strip().lower() != "points possible" or at >= len(row):
        return []
    said = row[at].value.strip()
    if "read only" in said.lower():
        raise CourseError("That column is read only, says the file. Say with --column which one takes the marks.")
    if not said or _is_same(said, highest):
        return []
    return [f"The platform has {inert(said, 20)} points for this column, and the assignment has {highest:g}."]


def _writes_decimal_commas(table: RawCsv) -> bool:
    """Whether the file's numbers have a decimal comma, as where semicolons separate its cells."""
    cells = [cell.value.strip() for row in table.rows[1:] for cell in row]
    return any(_DECIMAL_COMMA.fullmatch(cell) for cell in cells) or (
        table.separator == ";" and not any(re.fullmatch(r"\d+\.\d+", cell) for cell in cells)
    )


def _written(score: float, *, comma: bool) -> str:
    """A mark without more digits than it needs.

    >>> _written(29.700000000000003, comma=True), _written(33.0, comma=False)
    ('29,7', '33')
    """
    text = f"{score:.4f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if comma else text


def _is_same(said: str, score: float) -> bool:
    try:
        return abs(float(said.strip().replace(",", ".")) - score) < 5e-5
    except ValueError:
        return False
