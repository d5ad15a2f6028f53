"""Answers that do not stand in their cell: in a cell of the student's own, in a test cell, or in another answer.

Most of them need nothing: the student's cells run where they stand, and a test finds the names that they bind. What
stands too late, or above a stub that binds the name once more, runs a second time right behind the answer's cell, with
what it needs of other cells. So work counts as it did when it was run by hand, in whatever order.
"""

import builtins
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.submissions.cell_statements import Names, names_of, statements

MAX_STATEMENTS = 200
"""What runs a second time behind one answer."""
MAX_LINES = 8_000
"""Lines of code in a notebook; in more of them nothing is looked for that stands elsewhere."""
BEFORE_ALL = -1.0
_BUILT_IN = frozenset(dir(builtins))


class Code(NamedTuple):
    """A cell of code, and where it stands."""

    place: float
    """The number of the master's cell; a student's own cell stands half a step behind it."""
    source: str
    released: str = ""
    """The cell as it was released: what is left of its stub binds nothing."""
    runs: bool = True
    """False for a test cell that the student has changed: the master's runs in its place."""


def code_cells(
    master: Master, answers: Mapping[str, str], extras: Iterable[tuple[str, str]], changed: Mapping[str, str]
) -> list[Code]:
    """The student's code in the order of the notebook.

    Parameters
    ----------
    master : Master
    answers : mapping
        Texts by grade_id.
    extras : iterable of (grade_id, source)
        The student's own cells, with the cell that they stand behind.
    changed : mapping
        The test cells that the student has changed, by grade_id.
    """
    released, cells = master.released, list[Code]()
    order = {"": BEFORE_ALL}
    for number, cell in enumerate(master.cells):
        order[cell.grade_id] = place = float(number)
        if cell.kind == "answer":
            cells.append(Code(place, answers.get(cell.grade_id, ""), released[cell.grade_id]))
        elif cell.grade_id in changed:
            cells.append(Code(place + 0.25, changed[cell.grade_id], released[cell.grade_id], runs=False))
    cells += [Code(order[after] + 0.5, source) for after, source in extras]
    lines = sum(code.source.count("\n") + code.source.count(";") + len(code.source) // 80 for code in cells)
    if lines > MAX_LINES:
        return []
    return sorted((cell for cell in cells if cell.source.strip()), key=lambda cell: cell.place)


def written_elsewhere(master: Master, cells: Sequence[Code]) -> frozenset[str]:
    """The answers of which a name is bound outside of their own cell, though not inside of it."""
    found = set[str]()
    for number, cell in enumerate(master.cells):
        if cell.kind == "answer":
            opened = master.binds[cell.grade_id] - _own(cells, number).binds
            if opened and any(opened & _names(code).binds for code in cells if code.place != number):
                found.add(cell.grade_id)
    return frozenset(found)


def moved(master: Master, cells: Sequence[Code]) -> list[tuple[str, str]]:
    """Which code must run a second time, and behind which answer's cell."""
    found = []
    for number, cell in enumerate(master.cells):
        test = _first_test(master, number, cell) if cell.kind == "answer" else None
        if test is None:
            continue
        wanted = _wanted(master, cells, number, test)
        taken = _slice(cells, wanted, float(number))
        if taken:
            found.append((cell.grade_id, "\n".join(taken)))
    return found


def _wanted(master: Master, cells: Sequence[Code], number: int, test: int) -> tuple[set[str], set[str]]:
    """The names that a test would not find behind an answer's cell, though code elsewhere binds them; and the rest."""
    name = master.cells[number].grade_id
    ahead = [cell.grade_id for cell in master.cells[:test] if cell.kind in ("given", "test")]
    before = set[str]().union(*(master.binds[each] | master.imported[each] for each in ahead))
    before |= set[str]().union(*(_names(code).binds for code in cells if code.runs and code.place < test))
    between = [_names(code) for code in cells if code.runs and number < code.place < test]
    own = _own(cells, number)
    bound = own.binds.union(*(each.binds for each in between))
    wanted = master.binds[name] - bound
    reads = own.loads.union(*(each.loads for each in between)) - bound - master.binds[name]
    lost = wanted - (before - own.stubs) | (reads - before - _BUILT_IN)
    return lost, before - lost | bound


def _slice(cells: Sequence[Code], names: tuple[set[str], set[str]], place: float) -> list[str]:
    """The statements that make the names that are wanted, and what these need in turn, in the notebook's order."""
    opened, there = set(names[0]), set(names[1])
    taken: dict[tuple[int, int], str] = {}
    while opened and len(taken) < MAX_STATEMENTS:
        name = opened.pop()
        there.add(name)
        homes = [n for n, code in enumerate(cells) if code.place != place and name in _names(code).binds]
        if not homes:
            spoken_of = any(_is_own(code) and name in code.source for code in cells)
            homes = [n for n, code in enumerate(cells) if spoken_of and code.place > place and _may_bind(code)]
            for number, each in enumerate(statements(*cells[homes[-1]][1:3])) if homes else ():
                taken[homes[-1], number] = each.text
                opened |= each.loads - there - _BUILT_IN
            taken |= {} if homes else _star_imports(cells, place)
            continue
        for number, each in enumerate(statements(*cells[homes[-1]][1:3])):
            if not each.stub and name in each.binds | each.changes:
                taken[homes[-1], number] = each.text
                opened |= each.loads - there - _BUILT_IN
    taken |= _written_for(cells, taken, place)
    return [taken[at] for at in sorted(taken)]


_HIDDEN = re.compile(
    r"\b(?:exec|eval|globals|locals|vars|setattr|global|__main__|__dict__)\b|import\s*\*|run_line_magic"
    r"|^[ \t]*%(?:run|load)\b",
    re.MULTILINE,
)
"""What may bind a name without naming it as a target."""

_IMPORTS = re.compile(r"\bimport\b|run_line_magic\('run'")


def _star_imports(cells: Sequence[Code], place: float) -> dict[tuple[int, int], str]:
    """The statements further down that import everything of a library, as a name that nothing binds may be of it."""
    below = [n for n, code in enumerate(cells) if code.runs and code.place > place and "*" in code.source]
    found = {(n, at): each.text for n in below for at, each in enumerate(statements(*cells[n][1:3]))}
    return {where: text for where, text in found.items() if _STAR.match(text)}


_STAR = re.compile(r"from\s+[\w.]+\s+import\s*\*")


def _may_bind(code: Code) -> bool:
    """Whether a cell of the student's own may bind names of which only a run can tell."""
    return _is_own(code) and _HIDDEN.search(code.source) is not None


def _is_own(code: Code) -> bool:
    return code.runs and not code.place.is_integer()


def _written_for(
    cells: Sequence[Code], taken: Mapping[tuple[int, int], str], place: float
) -> dict[tuple[int, int], str]:
    """The cells that write the modules which the statements import or run, where they stand too late for that."""
    if not any(_IMPORTS.search(text) for text in taken.values()):
        return {}
    late = [n for n, code in enumerate(cells) if code.place > place and code.source.lstrip().startswith("%%writefile")]
    return {(n, at): each.text for n in late for at, each in enumerate(statements(*cells[n][1:3]))}


def _first_test(master: Master, number: int, cell: MasterCell) -> int | None:
    """The number of the first test cell that reads what an answer binds."""
    binds = master.binds[cell.grade_id]
    tests = ((n, each) for n, each in enumerate(master.cells) if each.kind == "test" and n > number)
    return next((n for n, each in tests if master.loads[each.grade_id] & binds), None)


def _own(cells: Sequence[Code], number: int) -> Names:
    nothing = Names(frozenset(), frozenset(), frozenset())
    return next((_names(code) for code in cells if code.place == number), nothing)


def _names(code: Code) -> Names:
    return names_of(code.source, code.released)
