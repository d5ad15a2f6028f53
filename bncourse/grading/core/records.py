"""What the teacher's room passes from hand to hand: a master's cells, a verdict, a submission's record."""

from dataclasses import dataclass, field
from typing import Literal

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
