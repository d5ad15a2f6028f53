"""A master and a notebook's bytes in; answers, added cells and a list of repairs out."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from bncourse.grading.core.plain_text import one_line
from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.submissions.elsewhere import code_cells, moved, written_elsewhere
from bncourse.grading.submissions.found_cells import FoundCells
from bncourse.grading.submissions.notebooks import RawCell, read_notebook
from bncourse.grading.submissions.pictures import Picture, Pictures
from bncourse.grading.submissions.said import is_assignments
from bncourse.grading.submissions.same_code import (
    Released,
    does_something,
    flags,
    is_stub,
    is_unnamed,
    released,
    same_code,
)

MAX_REPAIRS = 60


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
        if notebook.reason:
            reading = Reading({}, notebook.repairs, notebook.reason)
        else:
            reading = _Reader(FoundCells(master, notebook)).read()
    except Exception as error:  # whatever one student's file makes of it, the others are graded
        return Reading({}, (), f"the file cannot be read ({type(error).__name__})")
    repairs = tuple(one_line(repair, 300) for repair in reading.repairs[:MAX_REPAIRS])
    if len(reading.repairs) > MAX_REPAIRS:
        repairs += (f"and {len(reading.repairs) - MAX_REPAIRS} more repairs",)
    return reading._replace(repairs=repairs, reason=one_line(reading.reason, 300))


class _Reader:
    def __init__(self, found: FoundCells) -> None:
        self.found, self.master, self.notebook, self.owner = found, found.master, found.notebook, found.owner
        self.known, self.order, self.repairs, self.written = found.known, found.order, found.repairs, found.written
        self.places: dict[str, list[int]] = {}

    def read(self) -> Reading:
        self.found.find()
        reason = self._foreign(self.found.by_name)
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
        taken = {name: pictures.take(answers[name], self._attachments(name), f"cell {name}") for name in self.written}
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
            self._check_metadata(cell, released(cell), self.notebook.cells[place])
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
        as_released = released(cell)
        for place in places:
            self._check_metadata(cell, as_released, self.notebook.cells[place])
            if not same_code(self.notebook.cells[place].source, as_released.source):
                self.repairs.append(f"{cell.kind} cell {cell.grade_id} had been changed")
        if len(places) > 1:
            self.repairs.append(f"cell {cell.grade_id} stood there {len(places)} times")

    def _check_metadata(self, cell: MasterCell, as_released: Released, raw: RawCell) -> None:
        if raw.cell_type != cell.cell_type:
            self.repairs.append(f"cell {cell.grade_id} had been turned to {raw.cell_type[:20]!r}")
        before_them = {"task": False, "cell_type": cell.cell_type}  # older releases of nbgrader do not write these
        if raw.facts and flags({**before_them, **raw.facts}) != as_released.flags:
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
            if kind == "given" and not same_code(raw.source, self.known[name].source):
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
            name: [each for each in found if not same_code(each, released[name])] for name, found in sources.items()
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
        return raw.cell_type != "code" or not does_something(raw.source)

    def _beside(self, answers: Mapping[str, str]) -> frozenset[str]:
        """The written answers that were left empty, with a text of the student's beside them, or behind everything."""
        last = max((place for place, name in enumerate(self.owner) if name), default=-1)
        behind = any(self._is_own_text(place) for place in range(last + 1, len(self.owner)))
        found = set[str]()
        for name in self.written:
            if is_stub(self.known[name], answers[name]):
                question = self.found.between(name).start - 1
                near = [*self.found.between(name), *([question] if question >= 0 else [])]
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
            changed = kind == "given" and not same_code(raw.source, self.known[name].source)
            if changed or (not name and raw.cell_type == "code" and raw.source.strip()):
                code += 1
            elif self._is_own_text(place):
                source, found = pictures.take(raw.source, raw.attachments, f"a text after {after}")
                texts.append(OwnText(after, source, code, found))
        return texts
