"""A master and a notebook's bytes in; answers, added cells and a list of repairs out."""

import ast
import contextlib
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from bncourse.grading.core.names import bound_names, letters_of, lines_of, parse
from bncourse.grading.core.plain_text import one_line
from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.core.regions import released_source
from bncourse.grading.core.render import nbgrader_metadata
from bncourse.grading.submissions.elsewhere import code_cells, moved, written_elsewhere
from bncourse.grading.submissions.magics import plain_python
from bncourse.grading.submissions.notebooks import RawCell, RawNotebook, read_notebook
from bncourse.grading.submissions.pictures import Picture, Pictures
from bncourse.grading.submissions.said import is_assignments, is_tools, text_in_code, text_in_comments

MAX_REPAIRS = 60
MAX_PARSED = 60_000
"""Characters of a cell; a longer one is no stub, and is not known by the names that it binds."""
_UNNAMED = re.compile(r"given-\d+")
PROTECTED = ("grade", "solution", "locked", "points", "task", "cell_type")


class Extra(NamedTuple):
    """A cell that the student added: it runs after the master's cell of that grade_id ("": before all)."""

    after: str
    source: str


class OwnText(NamedTuple):
    """A text cell that the student added, or a text of the assignment's that the student has changed."""

    after: str
    """The master's cell that it stands behind."""
    source: str
    before: int
    """How many of the student's own code cells stand above it."""
    pictures: tuple[Picture, ...] = ()


class Reading(NamedTuple):
    """What was read of a submission."""

    answers: dict[str, str]
    """Text of the student's cells, by grade_id; written answers too."""
    repairs: tuple[str, ...]
    reason: str
    """Why it cannot be graded; empty if it can."""
    extras: tuple[Extra, ...] = ()
    moved: tuple[Extra, ...] = ()
    """Code of other cells that runs a second time, behind the answer that needs it."""
    elsewhere: frozenset[str] = frozenset()
    """Answers that stand in another cell than their own; written answers with a text of the student's beside them."""
    texts: tuple[OwnText, ...] = ()
    pictures: Mapping[str, tuple[Picture, ...]] = MappingProxyType({})
    """Pictures in written answers, by grade_id."""
    looks: tuple[str, ...] = ()
    """What a person should see in the student's own file."""
    stubs: frozenset[str] = frozenset()
    """Answers and written answers that are still what the release says."""
    plain: Mapping[str, str] = MappingProxyType({})
    """Code that has magics, and the plain Python that it becomes."""


def read_submission(master: Master, raw: bytes) -> Reading:
    """Read the answers from a notebook's bytes, however damaged; never raises.

    Parameters
    ----------
    master : Master
        The assignment.
    raw : bytes
        The file that was handed in.
    """
    try:
        notebook = read_notebook(raw)
        reading = (
            Reading({}, notebook.repairs, notebook.reason) if notebook.reason else _Reader(master, notebook).read()
        )
    except Exception as error:  # whatever one student's file makes of it, the others are graded
        return Reading({}, (), f"the file cannot be read ({type(error).__name__})")
    repairs = tuple(one_line(repair, 300) for repair in reading.repairs[:MAX_REPAIRS])
    if len(reading.repairs) > MAX_REPAIRS:
        repairs += (f"and {len(reading.repairs) - MAX_REPAIRS} more repairs",)
    return reading._replace(repairs=repairs, reason=one_line(reading.reason, 300))


def is_unnamed(cell: MasterCell) -> bool:
    """Whether a given cell has no name of its own: other courses leave such cells without nbgrader's metadata."""
    return cell.kind == "given" and _UNNAMED.fullmatch(cell.grade_id) is not None


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
        self.master = master
        self.known = {cell.grade_id: cell for cell in master.cells}
        self.order = {cell.grade_id: number for number, cell in enumerate(master.cells)}
        self.repairs = list(dict.fromkeys(notebook.repairs))
        cells = [cell for cell in notebook.cells if cell.cell_type != "markdown" or not is_tools(cell.source)]
        self.notebook = notebook._replace(cells=self._as_texts(cells))
        self.owner: list[str] = [self._named(cell) for cell in self.notebook.cells]
        self.places: dict[str, list[int]] = {}
        self.shared = master.shared
        self._dumps: dict[int, str | None] = {}
        self._written = [cell.grade_id for cell in master.cells if cell.kind == "written"]

    def read(self) -> Reading:
        by_name = sum(1 for name in self.owner if name and self.known[name].kind != "text")
        self._find_the_lost()
        self._find_the_texts()
        self._find_by_place()
        self._find_the_written()
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
        cells = code_cells(self.master, answers, extras, self._changed_tests())
        late = tuple(Extra(*each) for each in moved(self.master, cells))
        self.repairs += [f"code that cell {each.after} needs stood elsewhere, and was run there too" for each in late]
        pictures = Pictures()
        taken = {name: pictures.take(answers[name], self._attachments(name), f"cell {name}") for name in self._written}
        answers |= {name: text for name, (text, _) in taken.items()}
        texts = self._texts(pictures)
        return Reading(
            answers,
            tuple(dict.fromkeys(self.repairs)),
            "",
            tuple(extras),
            late,
            written_elsewhere(self.master, cells) | self._beside(answers),
            tuple(texts),
            {name: found for name, (_, found) in taken.items() if found},
            tuple(pictures.looks),
        )

    def _named(self, cell: RawCell) -> str:
        name = cell.facts.get("grade_id") if cell.facts else cell.name
        return name if isinstance(name, str) and name in self.known else ""

    def _as_texts(self, cells: list[RawCell]) -> tuple[RawCell, ...]:
        """The cells, of which those of code that only say a text are texts.

        Those of comments are so where the assignment's own texts are written in comments.
        """
        said = [text_in_code(cell.source) if self._may_say(cell) else None for cell in cells]
        commented = [text_in_comments(cell.source) if self._may_say(cell) else None for cell in cells]
        if any(text is not None and is_assignments(self.master, text) for text in commented):
            said = [text if text is not None else comment for text, comment in zip(said, commented, strict=True)]
        return tuple(
            cell if text is None else cell._replace(cell_type="markdown", source=text)
            for cell, text in zip(cells, said, strict=True)
        )

    def _may_say(self, cell: RawCell) -> bool:
        return cell.cell_type == "code" and not self._named(cell)

    def _find_the_lost(self) -> None:
        """Give cells without metadata to the master's cell whose text or whose definitions they hold."""
        found = set(self.owner)
        for cell in self.master.cells:
            if cell.grade_id in found or cell.kind in ("text", "written"):
                continue
            places = [
                place for place in range(len(self.owner)) if not self.owner[place] and self._resembles(cell, place)
            ]
            for place in places if cell.kind == "answer" else places[:1]:
                self.owner[place] = cell.grade_id
                if not is_unnamed(cell):
                    self.repairs.append(f"cell {cell.grade_id} had lost its metadata and was known by its content")

    def _find_the_texts(self) -> None:
        """Know the assignment's own text by what it says, whole or in parts: tools give cells new names."""
        texts = self.master.text_lines
        for place, raw in enumerate(self.notebook.cells):
            if self.owner[place] or raw.cell_type != "markdown" or not raw.source.strip():
                continue
            if is_assignments(self.master, raw.source):
                said, letters = lines_of(raw.source), letters_of(raw.source)
                whole = [name for name in texts if letters in letters_of(self.known[name].source)]
                self.owner[place] = max(whole or texts, key=lambda name: len(said & texts[name]))

    def _find_the_written(self) -> None:
        """Give a written answer that has lost its metadata the text that stands in its place."""
        found = set(self.owner)
        for name in self._written:
            if name in found:
                continue
            for place in self._between(name):
                if not self.owner[place] and self.notebook.cells[place].cell_type == "markdown":
                    self.owner[place] = name
                    self.repairs.append(f"cell {name} had lost its metadata and was known by its place")
                    break

    def _between(self, name: str) -> range:
        """The places between the master's cells around one."""
        number = self.order[name]
        known_before = [other for other in self.owner if other and self.order[other] < number]
        nearest = max(known_before, key=self.order.__getitem__, default=None)
        first = max((place for place, other in enumerate(self.owner) if other == nearest), default=-1) + 1
        after = (place for place in range(first, len(self.owner)) if self._stands_behind(place, number))
        return range(first, next(after, len(self.owner)))

    def _stands_behind(self, place: int, number: int) -> bool:
        return bool(self.owner[place]) and self.order[self.owner[place]] > number

    def _find_by_place(self) -> None:
        """Give an answer that is still lost the code that stands in its place and binds a part of its names.

        That is an answer left unfinished, or one that Python cannot read.
        """
        found = set(self.owner)
        for cell in self.master.cells:
            if cell.kind != "answer" or cell.grade_id in found:
                continue
            for place in self._between(cell.grade_id):
                raw = self.notebook.cells[place]
                if raw.cell_type == "code" and not self.owner[place] and self._fits(cell, raw):
                    self.owner[place] = cell.grade_id
                    self.repairs.append(f"cell {cell.grade_id} had lost its metadata and was known by its place")

    def _fits(self, cell: MasterCell, raw: RawCell) -> bool:
        return bool(_binds(cell.source) & _spoken_of(raw.source)) or _same(raw.source, _released(cell).source)

    def _resembles(self, cell: MasterCell, place: int) -> bool:
        raw = self.notebook.cells[place]
        if not raw.source.strip():
            return False
        released = _released(cell).source
        code = cell.kind in ("given", "test") and self._dump_at(place) == _dump(released)
        with_magics = cell.kind == "given" and "get_ipython" in released and _same_code(raw.source, released)
        if _same(raw.source, released) or code or with_magics:
            return released not in self.shared
        wanted = _binds(cell.source) if cell.kind == "answer" else frozenset()
        return bool(wanted) and wanted <= _binds(raw.source)

    def _dump_at(self, place: int) -> str | None:
        """The parsed code of a cell, as text; each cell is parsed once, however many they are."""
        if place not in self._dumps:
            raw = self.notebook.cells[place]
            self._dumps[place] = _dump(raw.source) if raw.cell_type == "code" else None
        return self._dumps[place]

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
            if not _same_code(self.notebook.cells[place].source, released.source):
                self.repairs.append(f"{cell.kind} cell {cell.grade_id} had been changed")
        if len(places) > 1:
            self.repairs.append(f"cell {cell.grade_id} stood there {len(places)} times")

    def _check_metadata(self, cell: MasterCell, released: _Released, raw: RawCell) -> None:
        if raw.cell_type != cell.cell_type:
            self.repairs.append(f"cell {cell.grade_id} had been turned to {raw.cell_type[:20]!r}")
        before_them = {"task": False, "cell_type": cell.cell_type}  # older releases of nbgrader do not write these
        if raw.facts and _flags({**before_them, **raw.facts}) != released.flags:
            self.repairs.append(f"the flags or points of cell {cell.grade_id} had been edited")
        if not raw.facts and not is_unnamed(cell):
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
            if kind == "given" and not _same_code(raw.source, self.known[name].source):
                extras.append(Extra(after, raw.source))
            if name and (kind in ("given", "answer") or (kind == "test" and orderly)):
                after = name
            if not name and raw.cell_type == "code" and raw.source.strip():
                extras.append(Extra(after, raw.source))
        return extras

    def _changed_tests(self) -> dict[str, str]:
        """The text of the test cells that the student has changed."""
        tests = (cell for cell in self.master.cells if cell.kind == "test")
        sources = {
            cell.grade_id: [self.notebook.cells[place].source for place in self.places.get(cell.grade_id, [])]
            for cell in tests
        }
        released = self.master.released
        changed = {
            name: [each for each in found if not _same_code(each, released[name])] for name, found in sources.items()
        }
        return {name: "\n\n".join(found) for name, found in changed.items() if found}

    def _attachments(self, name: str) -> dict[str, Any]:
        """What is attached to a cell."""
        found: dict[str, Any] = {}
        for place in self.places.get(name, []):
            found |= self.notebook.cells[place].attachments
        return found

    def _is_own_text(self, place: int) -> bool:
        """Whether a cell holds text of the student's, for people to read; code that only says something counts too."""
        raw, name = self.notebook.cells[place], self.owner[place]
        if not raw.source.strip():
            return False
        if name:
            is_text = self.known[name].kind == "text" and raw.source != self.known[name].source
            return is_text and not is_assignments(self.master, raw.source)
        return raw.cell_type != "code" or not _does_something(raw.source)

    def _beside(self, answers: Mapping[str, str]) -> frozenset[str]:
        """The written answers that were left empty, with a text of the student's beside them, or behind everything."""
        last = max((place for place, name in enumerate(self.owner) if name), default=-1)
        behind = any(self._is_own_text(place) for place in range(last + 1, len(self.owner)))
        found = set[str]()
        for name in self._written:
            if is_stub(self.known[name], answers[name]):
                question = self._between(name).start - 1
                near = [*self._between(name), *([question] if question >= 0 else [])]
                if behind or any(self._is_own_text(place) for place in near):
                    found.add(name)
        return frozenset(found)

    def _texts(self, pictures: Pictures) -> list[OwnText]:
        """The student's own text cells, with the pictures in them."""
        texts, after, code = list[OwnText](), "", 0
        for place, (raw, name) in enumerate(zip(self.notebook.cells, self.owner, strict=True)):
            kind = self.known[name].kind if name else ""
            if name:
                after = name
            changed = kind == "given" and not _same_code(raw.source, self.known[name].source)
            if changed or (not name and raw.cell_type == "code" and raw.source.strip()):
                code += 1
            elif self._is_own_text(place):
                source, found = pictures.take(raw.source, raw.attachments, f"a text after {after}")
                texts.append(OwnText(after, source, code, found))
        return texts


def _same(source: str, other: str) -> bool:
    """Whether two texts differ in nothing but white space at the end of lines, and around them."""
    return source == other or _plain(source) == _plain(other)


def _same_code(source: str, other: str) -> bool:
    """Whether two cells are the same code, whatever a formatter made of its quotes and spaces, or magics of calls."""
    source, other = plain_python(source), plain_python(other)
    if _same(source, other):
        return True
    tree = _dump(other)
    return tree is not None and tree == _dump(source)


def _plain(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


def _does_something(source: str) -> bool:
    """Whether a cell is a program, and not a comment, a text in quotes, or prose that no parser takes."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        body = parse(source).body
        return not all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)
    return bool(re.search(r"^[ \t]*(def|class|import|from|return|%|!)|[=(\[]", source, re.MULTILINE))


@lru_cache(maxsize=512)
def _binds(source: str) -> frozenset[str]:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(bound_names(parse(source))) if len(source) <= MAX_PARSED else frozenset()
    return frozenset()


def _spoken_of(source: str) -> frozenset[str]:
    """The names that code binds; of code that cannot be parsed, all its words."""
    return frozenset(re.findall(r"\w+", source)) if _dump(source) is None else _binds(source)


@lru_cache(maxsize=2048)
def _dump(source: str) -> str | None:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.dump(parse(source)) if len(source) <= MAX_PARSED else None
    return None
