"""What a regrade would change: whose marks, from what to what, and how that was found out."""

from dataclasses import dataclass
from typing import Literal

How = Literal["unchanged", "stored", "run"]
"""Where a student's verdicts come from: the record, the stored answers of the code, or running it."""


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
    stored: int
    """Students whose changed tests were judged by what their code had answered before; nothing was run for them."""
    run: int
    """Students whose code had to be run."""
    cells_run: int
    """Test cells that had to be run, over all students."""
