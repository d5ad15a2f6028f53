"""One change of a syntax tree: another node in the place of one, and the old one back again.

Its `change` completes "The change is" and says of which kind it is, not what the right code would be.
"""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

SIGN = "another sign"
OPERATOR = "another operator"
AXIS = "another axis"
NUMBER = "another number"
LESS_FACTOR = "one factor less"
LESS_TERM = "one term less"
MORE_FACTOR = "one more factor"
MORE_TERM = "one more term"
BRACKETS = "brackets in another place"
CALL = "another function in this place"
NO_CALL = "without this call"
ORDER = "another order of these"
FLAG = "another condition"
ADDED = "adding to what was there in the place of replacing it, or the other way round"
DROPPED = "without this line"
LINES = "another order of this line and the next"
LAYOUT = "axes in another order before or after this reshape"
POWER = "another power"
EPS = "eps in another place"


def value_of(name: str) -> str:
    """Say that another value belongs here."""
    return f"another value in the place of `{name}`"


@dataclass(frozen=True)
class Spot:
    """A place in the tree: a field of a node, and the index where that is a list."""

    parent: ast.AST
    field: str
    index: int | None = None

    @property
    def node(self) -> Any:
        """What stands there."""
        held = getattr(self.parent, self.field)
        return held if self.index is None else held[self.index]

    def put(self, node: Any) -> None:
        """Let another node stand there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass
class Edit:
    """One change."""

    rank: int
    """0 is the likeliest."""
    spot: Spot
    new: Any
    change: str
    at: ast.AST
    """What is quoted."""
    others: tuple["Edit", ...] = ()
    """The same change in other places."""

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make it for a while."""
        every = (self, *self.others)
        old = [one.spot.node for one in every]
        for one in every:
            one.spot.put(one.new)
        try:
            yield
        finally:
            for one, node in reversed(list(zip(every, old, strict=True))):
                one.spot.put(node)

    @property
    def same(self) -> tuple[str, str] | None:
        """By what it is known in another place; None where it is not tried in several at once."""
        if isinstance(self.spot.node, ast.stmt) or self.rank > REPEATED:
            return None
        return ast.unparse(self.spot.node), ast.unparse(self.new)


REPEATED = 2
"""Changes of a lower rank are tried in every place at once, too: a slip that was copied with its line."""


def repeated(found: list[Edit]) -> list[Edit]:
    """The changes that can be made in several lines, each in all of them."""
    groups: dict[Any, list[Edit]] = {}
    for edit in found:
        if edit.same is not None:
            groups.setdefault(edit.same, []).append(edit)
    several = [group for group in groups.values() if len({one.at.lineno for one in group}) > 1]  # type: ignore[attr-defined]
    return [replace(group[0], rank=group[0].rank + 1, others=tuple(group[1:])) for group in several]
