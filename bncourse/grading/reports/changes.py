"""What a regrade changes: students, points before and after, cells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One student whose marks would change."""

    student: str
    before: float
    after: float
    cells: tuple[tuple[str, float, float], ...]
    """Test cell, points before, points after."""


@dataclass(frozen=True)
class Preview:
    """What a regrade would do."""

    changes: tuple[Change, ...]
    compared: int
    """Students whose marks were compared."""
    run: int
    """Students whose code was run again, because the master, the grader or their file has changed."""
