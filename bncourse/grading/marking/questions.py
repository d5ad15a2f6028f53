"""A graded assignment in; its written questions out, each with the answers of the class, equal ones together.

An answer is shown from the notebook that grading wrote, where everything of the student's is harmless already, and read
in a process that can be ended. Neither the order of the answers nor their names says whose they are.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.cached import cached_property
from bncourse.grading.core.closing import Closing
from bncourse.grading.core.plain_text import inert
from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.core.regions import SOLUTION, released_source, within_region
from bncourse.grading.gradebook.by_hand import HandMark, hand_marks
from bncourse.grading.sandbox.limited_process import CallEnded, LimitedProcess

_LEVEL = re.compile(r'^- (?P<points>\d+(?:\.\d+)?): "', re.MULTILINE)
"""A line of a rubric that shows what an answer of so many points says."""


@dataclass(frozen=True)
class Text:
    """A text that is shown, as Markdown."""

    source: str
    attachments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A cell that is marked by hand."""

    name: str
    """Its grade_id."""
    points: float
    asked: str
    """What the assignment asks, as Markdown."""
    rubric: str
    """The model answer, the rubric and its examples, as Markdown."""
    places: tuple[str, ...]
    """The grade_ids behind which a student's own cell belongs to this answer."""

    @cached_property
    def levels(self) -> tuple[float, ...]:
        """The points that have a key: all of them, what the rubric shows, and none."""
        shown = {float(level["points"]) for level in _LEVEL.finditer(self.rubric)}
        shown = {points for points in shown | {self.points, 0.0} if points <= self.points}
        return tuple(sorted(shown, reverse=True))


@dataclass(frozen=True)
class Group:
    """Students who have answered the same."""

    key: str
    """A digest of the answer."""
    texts: tuple[Text, ...]
    marks: Mapping[str, HandMark]
    """By student."""

    @property
    def waits(self) -> bool:
        """Whether somebody has to look."""
        return any(mark.waits for mark in self.marks.values())

    @property
    def state(self) -> str:
        """Of its marks: *waits*, *marked*, *look again* where the answer is another than was marked, or *differ*."""
        given = {(mark.points, mark.comment) for mark in self.marks.values()}
        if len(given) > 1:
            return "differ"
        (points, _), *_ = given
        if points is None:
            return "waits"
        return "look again" if self.waits else "marked"

    @property
    def version(self) -> str:
        """A digest of whose answers these are, and of their marks."""
        facts = [[student, *vars(mark).values()] for student, mark in sorted(self.marks.items())]
        return _digest(facts)


@dataclass(frozen=True)
class Progress:
    """How far the marking of a question is, in students."""

    answered: int
    marked: int
    empty: int
    """As released: no points, and nobody has to look."""
    unreadable: int
    """Files in which no answer can be found."""

    @property
    def waiting(self) -> int:
        """Answers that somebody has to look at."""
        return self.answered - self.marked


@dataclass(frozen=True)
class Answered:
    """A question with the answers of the class."""

    question: Question
    groups: list[Group]
    """Equal answers together, the largest groups first, then the shortest answers."""
    progress: Progress

    def group(self, key: str) -> Group | None:
        """The group with this key, if there is one."""
        return next((group for group in self.groups if group.key == key), None)


class Answers(Closing):
    """The written answers of one assignment; use it as a context manager.

    Raises
    ------
    CourseError
        If the assignment asks for none, or nothing of it was graded.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        self.course, self.assignment = course, assignment
        master = course.master(assignment)
        self.title = master.title
        self.questions = {question.name: question for question in questions_of(master)}
        if not self.questions:
            raise CourseError(f"{assignment} has no written questions: nothing is marked by hand.")
        self._said: dict[str, tuple[str, dict[str, tuple[Text, ...]]]] = {}
        self._process = LimitedProcess({"texts": self._read})
        if not any(hand_marks(course, assignment, self.questions).values()):
            raise CourseError(f"Nothing of {assignment} has been graded. Type first: bncourse grade {assignment}")

    def close(self) -> None:
        """End the process that reads."""
        self._process.close()

    def now(self) -> dict[str, Answered]:
        """All questions with their answers and marks, as they are at this moment."""
        marks = hand_marks(self.course, self.assignment, self.questions)
        return {name: self._answered(self.questions[name], its) for name, its in marks.items()}

    def _answered(self, question: Question, marks: Mapping[str, HandMark]) -> Answered:
        together = dict[str, dict[str, HandMark]]()
        texts = dict[str, tuple[Text, ...]]()
        for student, mark in marks.items():
            if mark.attempted:
                said = self._texts(student, mark.stamp)[question.name]
                key = _key(said)
                texts[key] = said
                together.setdefault(key, {})[student] = mark
        groups = [Group(key, texts[key], its) for key, its in together.items()]
        groups.sort(key=lambda group: (-len(group.marks), _length(group.texts), group.key))
        empty = [mark for mark in marks.values() if not mark.attempted]
        unreadable = sum(mark.waits for mark in empty)
        answered = len(marks) - len(empty)
        waiting = sum(mark.waits for group in groups for mark in group.marks.values())
        return Answered(question, groups, Progress(answered, answered - waiting, len(empty) - unreadable, unreadable))

    def _texts(self, student: str, stamp: str) -> dict[str, tuple[Text, ...]]:
        """What a student has written, by question; read again where a new file was graded."""
        known, texts = self._said.get(student, ("", {}))
        if not stamp or known != stamp:
            try:
                read: dict[str, tuple[Text, ...]] | None = self._process.call("texts", student)
            except CallEnded as error:
                said = f"What was written here cannot be shown ({inert(str(error), 200)}). Mark it in formgrader."
                known = f"{said} Its number here: {_digest(student)[:8]}"  # so that it equals nobody else's
                read = {name: (Text(known),) for name in self.questions}
            if read is None:
                path = self.course.notebook("autograded", self.assignment, student)
                raise CourseError(f"{path} cannot be read. Type: bncourse grade {self.assignment}")
            texts = read
            self._said[student] = stamp, texts
        return texts

    def _read(self, student: str) -> dict[str, tuple[Text, ...]] | None:
        """In the other process: the texts of a graded notebook; None where it is gone or damaged."""
        try:
            path = self.course.notebook("autograded", self.assignment, student)
            cells = json.loads(path.read_bytes())["cells"]
        except (OSError, ValueError):
            return None
        return {name: answer_texts(cells, question) for name, question in self.questions.items()}


def questions_of(master: Master) -> list[Question]:
    """The written questions of an assignment, in its order."""
    found = []
    for number, cell in enumerate(master.cells):
        if cell.kind == "written":
            before = _texts_before(master.cells[:number])
            own = released_source(cell.source, cell.cell_type).replace("YOUR ANSWER HERE", "").strip()
            asked = "\n\n".join(filter(None, [*(text.source for text in before), own]))
            places = (*(text.grade_id for text in before), cell.grade_id)
            rubric = within_region(cell.source, SOLUTION)
            found.append(Question(cell.grade_id, cell.points, asked, rubric, places))
    return found


def answer_texts(cells: Iterable[Mapping[str, Any]], question: Question) -> tuple[Text, ...]:
    """What a graded notebook holds of an answer: its cell, and the student's own text cells beside it."""
    texts = []
    for cell in cells:
        name, source = str(cell.get("id", "")), "".join(cell["source"])
        own = any(re.fullmatch(rf"after-{re.escape(place)}-text\d+", name) for place in question.places)
        if (name == question.name and source.strip() != "YOUR ANSWER HERE") or own:
            texts.append(Text(source, cell.get("attachments") or {}))
    return tuple(texts)


def _texts_before(cells: tuple[MasterCell, ...]) -> list[MasterCell]:
    """The text cells right above a question."""
    above = []
    for cell in reversed(cells):
        if cell.kind != "text":
            break
        above.append(cell)
    return above[::-1]


def _key(texts: tuple[Text, ...]) -> str:
    """Answers are equal if they differ in nothing but white space."""
    said = [[" ".join(unicodedata.normalize("NFC", text.source).split()), text.attachments] for text in texts]
    return _digest(said)


def _length(texts: tuple[Text, ...]) -> int:
    return sum(len(text.source) for text in texts)


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:24]
