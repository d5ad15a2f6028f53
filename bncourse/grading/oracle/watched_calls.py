"""Names of gradient functions and their calls in; which call is to be watched, and what was seen, out."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from bncourse.grading.oracle.remote_errors import torch_of
from bncourse.grading.sandbox.inside.seen import worst

TELLING = 8
"""So many numbers, not all of them zero, has an answer that has to be found; a smaller one may be known."""
LOOKS_AGAIN = 3
"""So often a function is looked at once more because a call told nothing of how it works."""


class WatchedCalls:
    """Says which calls of the functions that give gradients the worker has to watch."""

    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()
        """Global functions that give gradients."""
        self.unwatched: set[str] = set()
        """Those of which no call was watched yet."""
        self.unwatched_here: set[str] = set()
        """Those of which none was that a hidden test of this cell has made."""
        self.watched_later: set[str] = set()
        """Those that hidden lines of this cell name."""
        self.watched_closely: set[str] = set()
        """Those of which one was watched line by line."""
        self.looks_left: dict[str, int] = {}
        """How often they may be looked at once more."""
        self.measured: dict[str, str] = {}
        """Functions that were seen to measure what they return, and how."""

    def of(self, names: frozenset[str]) -> None:
        """Watch calls of these functions."""
        self.names = names
        self.unwatched |= names

    def begin(self, hidden: Collection[str]) -> None:
        """Begin a cell, with the names that its hidden lines ask for."""
        self.unwatched_here, self.watched_later = set(self.names), set(hidden)

    def next_call(self, name: str, asks_secrets: Callable[[], bool]) -> tuple[str, bool]:
        """The name, if its next call is to be watched, and whether closely.

        In each cell the first call of a hidden test is watched: a function may know what a visible test asks, and
        answer that from memory. Where a cell's hidden lines do not name the function, its first call of all is. Of
        the hidden tests' calls the first is watched closely.
        """
        hidden = name in self.unwatched_here and asks_secrets()
        due = hidden or (name in self.unwatched and name not in self.watched_later)
        closely = hidden and name not in self.watched_closely
        if closely:
            self.watched_closely.add(name)
        if due:
            self.unwatched.discard(name)
        if hidden:
            self.unwatched_here.discard(name)
        return (name if due else ""), closely

    def look_again(self, name: str, closely: bool, value: Any = None) -> None:
        """After a call that was watched: where its answer tells nothing, or there was none, watch the next one too."""
        left = self.looks_left.get(name, LOOKS_AGAIN)
        if not name or left == 0 or is_telling(value):
            return
        self.looks_left[name] = left - 1
        self.unwatched.add(name)
        self.unwatched_here.add(name)
        if closely:
            self.watched_closely.discard(name)

    def see(self, name: str, how: str) -> None:
        """Note how a function was seen to find a gradient; the worst counts."""
        self.measured[name] = worst([how, self.measured.get(name, "")])


def is_telling(value: Any) -> bool:
    """Whether an answer holds an array that one does not know without work, as one knows that of a single sample.

    >>> is_telling((np.ones((4, 2)), 0)), is_telling(np.zeros((4, 2))), is_telling(np.ones(3))
    (True, False, False)
    """
    for part in value if isinstance(value, list | tuple) else (value,):
        if type(part) is np.ndarray and part.dtype.kind in "biufc" and part.size >= TELLING and np.any(part):
            return True
        if torch_of(part) is not None and part.numel() >= TELLING and part.any():
            return True
    return False
