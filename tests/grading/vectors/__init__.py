"""One builder per row of the attack and fault list, each with its control: the same notebook without the trick."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bncourse.grading.core.records import Outcome, SubmissionRecord

STOCK = {
    "F": "full marks to wrong code",
    "P": "part of the marks to wrong code",
    "L": "leaked",
    "D": "stopped the whole batch, or filled the disk",
    "N": "lost the grade",
    "Z": "zero to right code",
    "-": "not recorded",
}
"""What a stock notebook grader did, as it was recorded when the rows were collected."""


@dataclass(frozen=True)
class Pair:
    """A submission with a trick, and its control."""

    trick: bytes
    control: bytes
    title: str = ""
    points: float | None = None
    """Points that both must have, where the row says so."""
    status: Outcome | None = None
    """Status that the trick must have, where the row says so."""
    repaired: bool = False
    """Whether the record must say that something was put right."""
    extra: Callable[[SubmissionRecord], bool] | None = None
    """What else must hold of the trick's record."""


@dataclass(frozen=True)
class Vector:
    """A row: where it stands, what it says, what a stock grader did, and its submissions."""

    section: str
    row: str
    stock: str
    pairs: Callable[[], list[Pair]]


@dataclass(frozen=True)
class RunVector:
    """A row that is about a run, a file system or a page, and not about one notebook: the test that shows it."""

    section: str
    row: str
    stock: str
    test: str
    """The test's file and name."""


@dataclass
class Collection:
    """Collects the rows of one section."""

    section: str
    vectors: list[Vector] = field(default_factory=list)
    runs: list[RunVector] = field(default_factory=list)

    def row(self, row: str, stock: str = "-") -> Callable[[Callable[[], list[Pair]]], Callable[[], list[Pair]]]:
        """Enter a builder under its row."""

        def enter(build: Callable[[], list[Pair]]) -> Callable[[], list[Pair]]:
            self.vectors.append(Vector(self.section, row, stock, build))
            return build

        return enter

    def run(self, row: str, stock: str, test: str) -> None:
        """Enter a row that a test of its own shows."""
        self.runs.append(RunVector(self.section, row, stock, test))
