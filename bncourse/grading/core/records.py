"""What the packages pass to each other: a master and its cells, a verdict, a submission's record."""

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from bncourse.grading.core.cached import cached_property
from bncourse.grading.core.given_code import GIVEN, as_run
from bncourse.grading.core.names import bound_names, imported_names, letters_of, lines_of, loaded_names, parse
from bncourse.grading.core.regions import released_source

Kind = Literal["text", "given", "answer", "test", "written"]
"""text: markdown. given: read-only code. answer: the student's code. test: autograded. written: marked by hand."""

Outcome = Literal[
    "correct",
    "wrong",
    "crashed",
    "timeout",
    "out of memory",
    "not attempted",
    "unreadable",
    "repaired",
    "needs review",
]
"""What became of a test cell or a submission. Only correct and wrong are a score by themselves."""


@dataclass(frozen=True)
class MasterCell:
    """One cell of an assignment's master, solutions and hidden tests included."""

    grade_id: str
    kind: Kind
    source: str
    """As in the source notebook: with solution and hidden-test regions."""
    points: float = 0.0
    cell_type: Literal["code", "markdown"] = "code"


@dataclass(frozen=True)
class Substitute:
    """A wrong program that takes the place of an answer that stops, while answers that call it are tested."""

    answer: str
    """The grade_id of the answer."""
    tests: tuple[str, ...]
    """The tests of the other answers."""
    code: str


@dataclass(frozen=True)
class Master:
    """An assignment as its author wrote it."""

    assignment: str
    title: str
    cells: tuple[MasterCell, ...]
    imports: tuple[str, ...] = ("numpy",)
    """Top-level modules that answers may import besides the standard library's harmless ones."""
    seconds_per_test: float = 10.0
    seconds_in_all: float = 120.0
    metadata: dict[str, object] = field(default_factory=dict)
    substitutes: tuple[Substitute, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """What is sent to another process: not what can be worked out there."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def serialized(self) -> str:
        """All that the master says, as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def deserialized(cls, text: str) -> Self:
        """The master that was serialized."""
        facts = json.loads(text)
        cells = tuple(MasterCell(**cell) for cell in facts.pop("cells"))
        others = substitutes_of(facts.pop("substitutes"))
        return cls(cells=cells, imports=tuple(facts.pop("imports")), substitutes=others, **facts)

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that the master says; changes when any cell, function given, point or limit changes."""
        given = [as_run(cell.source) for cell in self.cells if cell.kind == "given" and GIVEN in cell.source]
        return hashlib.sha256("\n".join([self.serialized, *given]).encode()).hexdigest()

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The parsed code cells."""
        coded = [cell for cell in self.cells if cell.kind in ("given", "answer", "test")]
        return {cell.grade_id: parse(cell.source) for cell in coded}

    @cached_property
    def binds(self) -> dict[str, set[str]]:
        """The names that each code cell binds."""
        return {name: bound_names(tree) for name, tree in self.trees.items()}

    @cached_property
    def loads(self) -> dict[str, set[str]]:
        """The names that each code cell reads."""
        return {name: loaded_names(tree) for name, tree in self.trees.items()}

    @cached_property
    def imported(self) -> dict[str, frozenset[str]]:
        """The names that each code cell binds by an import."""
        return {name: imported_names(tree) for name, tree in self.trees.items()}

    @cached_property
    def gradients(self) -> frozenset[str]:
        """The functions that students write and that return derivatives, which are to be derived: they take `dy`."""
        first = self._first_arguments
        return frozenset(name for name, argument in first.items() if argument == "dy" or "gradient" in name)

    @cached_property
    def watched(self) -> frozenset[str]:
        """These, and the forward passes that go with them: what one of those has measured may come in its cache."""
        forward = {name.replace("backward", "forward") for name in self.gradients}
        return self.gradients | (forward & self._first_arguments.keys())

    @cached_property
    def _first_arguments(self) -> dict[str, str]:
        """The first argument of each function that students write."""
        answers = (self.trees[cell.grade_id] for cell in self.cells if cell.kind == "answer")
        defined = (node for tree in answers for node in tree.body if isinstance(node, ast.FunctionDef))
        return {node.name: node.args.args[0].arg if node.args.args else "" for node in defined}

    def not_derived(self, test: str, measuring: Iterable[str]) -> list[str]:
        """The functions of a test that measure the gradients that it asks for; none where it asks for no gradient."""
        names = self.loads[test]
        return sorted(names & set(measuring)) if names & self.gradients else []

    @cached_property
    def released(self) -> dict[str, str]:
        """The cells as students get them."""
        return {cell.grade_id: released_source(cell.source, cell.cell_type) for cell in self.cells}

    @cached_property
    def shared(self) -> frozenset[str]:
        """What several cells of the release say, such as the stub of a prediction: it tells none of them."""
        return frozenset(source for source, times in Counter(self.released.values()).items() if times > 1)

    @cached_property
    def text_lines(self) -> dict[str, frozenset[str]]:
        """The lines of each text cell."""
        return {cell.grade_id: lines_of(cell.source) for cell in self.cells if cell.kind == "text"}

    @cached_property
    def all_lines(self) -> frozenset[str]:
        """The lines of all text cells."""
        return frozenset().union(*self.text_lines.values())

    @cached_property
    def letters(self) -> str:
        """The letters and digits of all text cells, in their order."""
        return "".join(letters_of(cell.source) for cell in self.cells if cell.kind == "text")


def substitutes_of(facts: Iterable[Mapping[str, Any]]) -> tuple[Substitute, ...]:
    """Read substitutes from what a file says of them."""
    return tuple(Substitute(str(one["answer"]), tuple(map(str, one["tests"])), str(one["code"])) for one in facts)


@dataclass(frozen=True)
class Verdict:
    """What a test cell found."""

    grade_id: str
    outcome: Outcome
    points: float
    max_points: float
    message: str = ""
    belief: str | None = None
    """A misconception's id from `bncourse.diagnosis.catalogue`."""
    seconds: float = 0.0


@dataclass(frozen=True)
class CellOutput:
    """What a student's cell printed and drew, kept as plain text and inert pictures."""

    cell: str
    """The grade_id, or `after:GRADE_ID:NUMBER` for a cell that the student added."""
    text: str = ""
    pictures: tuple[bytes, ...] = ()
    """PNG files."""


@dataclass(frozen=True)
class SubmissionRecord:
    """What became of one submission."""

    student: str
    assignment: str
    status: Outcome
    verdicts: tuple[Verdict, ...]
    repairs: tuple[str, ...] = ()
    """What was put right before grading, in words."""
    reason: str = ""
    """Why it could not be read, or needs a look."""
    digest: str = ""
    """SHA-256 of what was graded: answers, tests, seeds and environment."""
    notes: tuple[str, ...] = ()
    """What happened on the way, in words: statements that failed, magics ignored, cells that were cut short."""
    outputs: tuple[CellOutput, ...] = ()
    level: str = "full"
    """The sandbox's level; anything but `full` was asked for by name."""
    environment: str = ""
    """Versions of Python and of the libraries that graded."""
    seed: int = 0
    """What the seeds of all cells were derived from."""
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """Sum of the points of the test cells."""
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def max_score(self) -> float:
        """Sum of the points that the test cells could give."""
        return sum(verdict.max_points for verdict in self.verdicts)
