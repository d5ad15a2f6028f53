"""Read a submission: the answers by grade_id, everything else from the master, and a list of what was put right."""

import ast
import contextlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from bncourse.grading.core.known import Known, known
from bncourse.grading.core.names import bound_names, parse
from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.core.render import nbgrader_metadata, released_source
from bncourse.grading.submissions.notebooks import MAX_KEPT, RawCell, RawNotebook, read_notebook

PROTECTED = ("grade", "solution", "locked", "points", "task", "cell_type")


class Extra(NamedTuple):
    """A cell that the student added: it runs after the master's cell of that grade_id ("": before all)."""

    after: str
    source: str


class Reading(NamedTuple):
    """What was read of a submission."""

    answers: dict[str, str]
    """Text of the student's cells, by grade_id; written answers too."""
    repairs: tuple[str, ...]
    reason: str
    """Why it cannot be graded; empty if it can."""
    extras: tuple[Extra, ...] = ()


def read_submission(master: Master, raw: bytes) -> Reading:
    """Read the answers from a notebook's bytes, however damaged; never raises.

    Parameters
    ----------
    master : Master
        The assignment.
    raw : bytes
        The file that was handed in.
    """
    read = _read_again if len(raw) <= MAX_KEPT else _read
    return read(known(master), raw)


def _read(facts: Known, raw: bytes) -> Reading:
    notebook = read_notebook(raw)
    if notebook.reason:
        return Reading({}, notebook.repairs, notebook.reason)
    return _Reader(facts.master, notebook).read()


_read_again = lru_cache(maxsize=64)(_read)


def is_stub(cell: MasterCell, source: str) -> bool:
    """Whether an answer is still what the release says, comments and blank lines aside."""
    released = _released(cell).source
    if _same(source, released) or not source.strip():
        return True
    if ("NotImplementedError" in released) != ("NotImplementedError" in source):
        return False
    tree = _dump(source) if cell.cell_type == "code" else None
    return tree is not None and tree == _dump(released)


class _Released(NamedTuple):
    """A cell as it was released."""

    source: str
    flags: list[Any]


@lru_cache(maxsize=2_048)
def _released(cell: MasterCell) -> _Released:
    return _Released(released_source(cell.source, cell.cell_type), _flags(nbgrader_metadata(cell)))


def _flags(facts: Mapping[str, Any]) -> list[Any]:
    return [facts.get(name) for name in PROTECTED]


class _Reader:
    def __init__(self, master: Master, notebook: RawNotebook) -> None:
        self.master, self.notebook = master, notebook
        self.known = {cell.grade_id: cell for cell in master.cells}
        self.order = {cell.grade_id: number for number, cell in enumerate(master.cells)}
        self.repairs = list(dict.fromkeys(notebook.repairs))
        self.owner: list[str] = [self._named(cell) for cell in notebook.cells]
        self.places: dict[str, list[int]] = {}

    def read(self) -> Reading:
        by_name = sum(1 for name in self.owner if name and self.known[name].kind != "text")
        self._find_the_lost()
        self._find_by_place()
        reason = self._foreign(by_name)
        if reason:
            return Reading({}, tuple(self.repairs), reason)
        for place, name in enumerate(self.owner):
            self.places.setdefault(name, []).append(place)
        answers = {}
        for cell in self.master.cells:
            if cell.kind in ("answer", "written"):
                answers[cell.grade_id] = self._answer(cell)
            elif cell.kind in ("given", "test"):
                self._compare(cell)
        extras = self._extras()
        return Reading(answers, tuple(dict.fromkeys(self.repairs)), "", tuple(extras))

    def _named(self, cell: RawCell) -> str:
        name = cell.facts.get("grade_id") if cell.facts else cell.name
        return name if isinstance(name, str) and name in self.known else ""

    def _find_the_lost(self) -> None:
        """Give cells without metadata to the master's cell whose text or whose definitions they hold."""
        found = set(self.owner)
        for cell in self.master.cells:
            if cell.grade_id in found or cell.kind == "text":
                continue
            places = [
                place for place in range(len(self.owner)) if not self.owner[place] and self._resembles(cell, place)
            ]
            for place in places if cell.kind == "answer" else places[:1]:
                self.owner[place] = cell.grade_id
                self.repairs.append(f"cell {cell.grade_id} had lost its metadata and was known by its content")

    def _find_by_place(self) -> None:
        """Give an answer that is still lost the code that stands in its place and binds a part of its names.

        That is an answer left unfinished, or one that Python cannot read.
        """
        order, found = list(self.order), set(self.owner)
        for number, cell in enumerate(self.master.cells):
            if cell.kind != "answer" or cell.grade_id in found:
                continue
            before, after = set(order[:number]), set(order[number + 1 :])
            first = max((place for place, name in enumerate(self.owner) if name in before), default=-1) + 1
            last = min((place for place, name in enumerate(self.owner) if name in after), default=len(self.owner))
            for place in range(first, last):
                raw = self.notebook.cells[place]
                if raw.cell_type == "code" and not self.owner[place] and _binds(cell.source) & _spoken_of(raw.source):
                    self.owner[place] = cell.grade_id
                    self.repairs.append(f"cell {cell.grade_id} had lost its metadata and was known by its place")

    def _resembles(self, cell: MasterCell, place: int) -> bool:
        raw = self.notebook.cells[place]
        if not raw.source.strip():
            return False
        if _same(raw.source, _released(cell).source):
            return True
        if cell.kind == "answer":
            wanted = _binds(cell.source)
            return bool(wanted) and wanted <= _binds(raw.source)
        if cell.kind == "written" and place and raw.cell_type == "markdown":
            before = self.master.cells[self.order[cell.grade_id] - 1]
            return _same(self.notebook.cells[place - 1].source, before.source)
        return False

    def _foreign(self, by_name: int) -> str:
        facts = self.notebook.metadata.get("bncourse")
        other = facts.get("assignment") if isinstance(facts, dict) else None
        if isinstance(other, str) and other != self.master.assignment and by_name < len(self.known) / 4:
            return f"this is the notebook of another assignment ({other[:64]!r})"
        graded = [
            name for name in self.owner if name and self.known[name].kind in ("answer", "test", "written", "given")
        ]
        names = (cell.facts.get("grade_id") for cell in self.notebook.cells)
        strangers = [name for name in names if name is not None and not (isinstance(name, str) and name in self.known)]
        if not graded:
            return "none of its cells belongs to this assignment" + (" (is it another one's?)" if strangers else "")
        if strangers:
            self.repairs.append(
                f"{len(strangers)} cells bear names that this release does not have (is it an older one?)"
            )
        return ""

    def _answer(self, cell: MasterCell) -> str:
        places = self.places.get(cell.grade_id, [])
        if not places:
            self.repairs.append(f"answer cell {cell.grade_id} was missing")
            return ""
        for place in places:
            self._check_metadata(cell, _released(cell), self.notebook.cells[place])
        sources = list(dict.fromkeys(self.notebook.cells[place].source for place in places))
        if len(places) > 1:
            self.repairs.append(
                f"cell {cell.grade_id} stood there {len(places)} times; they count as one, in their order"
            )
        done = [source for source in sources if not is_stub(cell, source)] if len(sources) > 1 else []
        return "\n\n".join(done) if done else sources[0]

    def _compare(self, cell: MasterCell) -> None:
        places = self.places.get(cell.grade_id, [])
        if not places:
            self.repairs.append(f"{cell.kind} cell {cell.grade_id} was missing")
        released = _released(cell)
        for place in places:
            self._check_metadata(cell, released, self.notebook.cells[place])
            if not _same(self.notebook.cells[place].source, released.source):
                self.repairs.append(f"{cell.kind} cell {cell.grade_id} had been changed")
        if len(places) > 1:
            self.repairs.append(f"cell {cell.grade_id} stood there {len(places)} times")

    def _check_metadata(self, cell: MasterCell, released: _Released, raw: RawCell) -> None:
        if raw.cell_type != cell.cell_type:
            self.repairs.append(f"cell {cell.grade_id} had been turned to {raw.cell_type[:20]!r}")
        if raw.facts and _flags(raw.facts) != released.flags:
            self.repairs.append(f"the flags or points of cell {cell.grade_id} had been edited")
        if not raw.facts:
            self.repairs.append(f"cell {cell.grade_id} had lost its metadata")
        if raw.tags:
            self.repairs.append(f"tags on cell {cell.grade_id} were ignored")

    def _extras(self) -> list[Extra]:
        seen = [name for name in dict.fromkeys(self.owner) if name and self.known[name].kind != "text"]
        orderly = seen == sorted(seen, key=self.order.__getitem__)
        if not orderly:
            self.repairs.append("the cells stood in another order")
        extras, after = [], ""
        for raw, name in zip(self.notebook.cells, self.owner, strict=True):
            kind = self.known[name].kind if name else ""
            if kind == "given" and not _same(raw.source, self.known[name].source):
                extras.append(Extra(after, raw.source))
            if name and (kind in ("given", "answer") or (kind == "test" and orderly)):
                after = name
            if not name and raw.cell_type == "code" and raw.source.strip():
                extras.append(Extra(after, raw.source))
        return extras


def _same(source: str, other: str) -> bool:
    """Whether two texts differ in nothing but white space at the end of lines, and around them."""
    return source == other or _plain(source) == _plain(other)


def _plain(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


@lru_cache(maxsize=512)
def _binds(source: str) -> frozenset[str]:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(bound_names(parse(source)))
    return frozenset()


def _spoken_of(source: str) -> frozenset[str]:
    """The names that code binds; of code that cannot be parsed, all its words."""
    return frozenset(re.findall(r"\w+", source)) if _dump(source) is None else _binds(source)


@lru_cache(maxsize=2048)
def _dump(source: str) -> str | None:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.dump(parse(source))
    return None
