"""What can be read off a master once and for all: its fingerprint, its parsed cells, its released texts."""

import ast
import weakref
from collections import Counter
from functools import cached_property

from bncourse.grading.core.names import bound_names, loaded_names, parse
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import fingerprint, released_source


class Known:
    """Facts about a master, each worked out when it is first asked for."""

    def __init__(self, master: Master) -> None:
        self._master = weakref.ref(master)

    @property
    def master(self) -> Master:
        """The master, which lives as long as anybody asks about it."""
        master = self._master()
        if master is None:
            raise ReferenceError("the master is gone")
        return master

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that the master says."""
        return fingerprint(self.master)

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The parsed code cells."""
        coded = [cell for cell in self.master.cells if cell.kind in ("given", "answer", "test")]
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
    def released(self) -> dict[str, str]:
        """The cells as students get them."""
        return {cell.grade_id: released_source(cell.source, cell.cell_type) for cell in self.master.cells}

    @cached_property
    def shared(self) -> frozenset[str]:
        """What several cells of the release say, such as the stub of a prediction: it tells none of them."""
        return frozenset(source for source, times in Counter(self.released.values()).items() if times > 1)

    @cached_property
    def text_lines(self) -> dict[str, frozenset[str]]:
        """The lines of each text cell."""
        return {cell.grade_id: lines_of(cell.source) for cell in self.master.cells if cell.kind == "text"}

    @cached_property
    def all_lines(self) -> frozenset[str]:
        """The lines of all text cells."""
        return frozenset().union(*self.text_lines.values())


def lines_of(text: str) -> frozenset[str]:
    """The lines of a text, blank ones and white space aside."""
    return frozenset(" ".join(line.split()) for line in text.split("\n") if line.strip())


_known: dict[int, Known] = {}


def known(master: Master) -> Known:
    """The facts about a master; forgotten together with it."""
    facts = _known.get(id(master))
    if facts is None:
        facts = _known[id(master)] = Known(master)
        weakref.finalize(master, _known.pop, id(master), None)
    return facts
