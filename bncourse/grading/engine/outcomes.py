"""How a test or its process ended in; a verdict without points, or words for it, out."""

import signal

from bncourse.grading.core.records import MasterCell, Outcome, Verdict

OUTCOMES: dict[str, Outcome] = {"timeout": "timeout", "crashed": "crashed"}
STOPPED = ("wrong", "crashed", "not attempted")
"""Outcomes of a test that an exception may have stopped."""
ENDED = ("crashed", "timeout", "out of memory")
"""Outcomes of a test to which the code has given no answer."""


def ending(code: int | None) -> str:
    """How a process ended, in words.

    >>> ending(-11)
    ' (SIGSEGV)'
    """
    if code is None or code == -signal.SIGKILL:
        return ""
    if code < 0:
        return f" ({signal.Signals(-code).name})"
    return " (it ended itself)"


def zero(cell: MasterCell, outcome: Outcome, message: str, seconds: float = 0.0) -> Verdict:
    """A verdict without points."""
    return Verdict(cell.grade_id, outcome, 0.0, cell.points, message, None, seconds)
