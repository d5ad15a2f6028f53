"""A master's MyST text in; a `Master` out, or the line that has to be mended."""

import ast
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from bncourse.grading.authoring.installation import source_for
from bncourse.grading.authoring.variants import VariantError, check_words, varied
from bncourse.grading.core.given_code import GIVEN, as_run
from bncourse.grading.core.install import Source, written_out
from bncourse.grading.core.names import bound_names, imports_of
from bncourse.grading.core.records import Kind, Master, MasterCell, Substitute, substitutes_of
from bncourse.grading.core.regions import HIDDEN_TESTS, SOLUTION, RegionError, without_region

FACTS: dict[str, type | tuple[type, ...]] = {
    "assignment": str,
    "title": str,
    "points": (int, float),
    "due": str,
    "minutes": list,
    "goals": list,
    "imports": list,
    "seconds_per_test": (int, float),
    "seconds_in_all": (int, float),
}
"""What the front matter says under `bncourse`, and the type of each."""

KINDS: tuple[str, ...] = get_args(Kind)
NOT_MARKED = "*Answer for yourself: this question is not marked.*"
"""What stands in the place of a written answer where an assignment is released without them."""


class MasterError(ValueError):
    """A master that cannot be used, and why."""


def list_masters(folder: Path) -> list[str]:
    """Names of the assignments whose masters lie in `folder`, in alphabetical order."""
    return sorted(path.stem for path in folder.glob("*.md"))


def load_master(path: Path, variant: str | None = None, installed_from: Source | None = None) -> Master:
    """Read and check a master.

    Parameters
    ----------
    path : Path
        A MyST text file; its name without the ending is the assignment's name.
    variant : str, optional
        Another year's numbers, as `variants` makes them; the master as it stands if left out.
    installed_from : Source, optional
        Where students install the package from; what the settings beside the masters say if left out.

    Returns
    -------
    Master

    Raises
    ------
    MasterError
        Naming the file, the cell and what is wrong with it.
    """
    try:
        notebook = deepcopy(parsed(path.read_text(encoding="utf-8")))
    except Exception as error:
        raise MasterError(f"{path}: cannot be read as MyST text: {error}") from error
    facts = _facts(path, notebook.metadata.get("bncourse"))
    try:
        installed_from = source_for(path.parent) if installed_from is None else installed_from
    except ValueError as error:
        raise MasterError(f"{path}: {error}") from error
    for cell in notebook.cells:
        cell.source = written_out(cell.source, installed_from)
    cells = tuple(_cell(path, number, cell) for number, cell in enumerate(notebook.cells, start=1))
    varies = facts.get("varies", [])
    try:
        check_words(varies, {cell.grade_id: cell.source for cell in cells})
    except VariantError as error:
        raise MasterError(f"{path}: bncourse.{error}") from error
    if variant is not None:
        fixed = [cell.metadata.get("order") == "fixed" for cell in notebook.cells]
        texts = [(c.grade_id, c.kind, c.source, stays) for c, stays in zip(cells, fixed, strict=True)]
        for cell, source in zip(notebook.cells, varied(texts, varies, variant), strict=True):
            cell.source = source
        cells = tuple(_cell(path, number, cell) for number, cell in enumerate(notebook.cells, start=1))
    _check_whole(path, facts, cells)
    master = Master(
        assignment=facts["assignment"],
        title=facts["title"],
        cells=cells,
        imports=tuple(facts["imports"]),
        seconds_per_test=float(facts["seconds_per_test"]),
        seconds_in_all=float(facts["seconds_in_all"]),
        metadata={name: facts[name] for name in ("points", "due", "minutes", "goals")}
        | ({} if variant is None else {"variant": variant}),
        substitutes=_substitutes(path, facts.get("substitutes", [])),
    )
    for one in master.substitutes:
        _check_substitute(path, master, one)
    return master


@lru_cache(maxsize=64)
def parsed(text: str) -> Any:
    """Read MyST text as a notebook, which must not be changed: each text is read once, in a fifth of a second."""
    import jupytext

    return jupytext.reads(text, fmt="md:myst")


def without_written(master: Master) -> Master:
    """Return the same assignment in which nothing is marked by hand: written questions stay, to think about."""
    cells = tuple(
        replace(cell, kind="text", source=NOT_MARKED, points=0.0, cell_type="markdown")
        if cell.kind == "written"
        else cell
        for cell in master.cells
    )
    return replace(master, cells=cells, metadata={**master.metadata, "points": sum(cell.points for cell in cells)})


def _facts(path: Path, facts: Any) -> dict[str, Any]:
    if not isinstance(facts, Mapping):
        raise MasterError(f"{path}: the front matter has no mapping named bncourse. Expected {', '.join(FACTS)}.")
    for name, kind in FACTS.items():
        if name not in facts:
            raise MasterError(f"{path}: the front matter's bncourse.{name} is missing.")
        if not isinstance(facts[name], kind):
            raise MasterError(f"{path}: bncourse.{name} is {facts[name]!r}, which is not of the expected type.")
    unknown = sorted(set(facts) - set(FACTS) - {"varies", "substitutes"})
    if unknown:
        raise MasterError(f"{path}: the front matter's bncourse.{unknown[0]} is unknown. Expected {', '.join(FACTS)}.")
    try:
        datetime.strptime(facts["due"], "%Y-%m-%d %H:%M:%S UTC")
    except ValueError as error:
        raise MasterError(f"{path}: bncourse.due is {facts['due']!r}. Expected 2027-02-12 23:59:00 UTC.") from error
    return dict(facts)


def _substitutes(path: Path, found: Any) -> tuple[Substitute, ...]:
    """What the front matter lists as substitutes."""
    try:
        return substitutes_of(found)
    except (TypeError, KeyError) as error:
        text = "Expected a list of mappings with answer, tests and code"
        raise MasterError(f"{path}: bncourse.substitutes cannot be read. {text}.") from error


def _check_substitute(path: Path, master: Master, one: Substitute) -> None:
    where = f"{path}: the substitute for {one.answer!r}"
    kinds = {cell.grade_id: cell.kind for cell in master.cells}
    if kinds.get(one.answer) != "answer":
        raise MasterError(f"{where} names no answer of this assignment.")
    wrong = [name for name in one.tests if kinds.get(name) != "test"]
    if wrong or not one.tests:
        raise MasterError(f"{where} is for the tests {list(one.tests)}. Expected names of tests of other answers.")
    try:
        bound = bound_names(ast.parse(one.code))
    except SyntaxError as error:
        raise MasterError(f"{where} is no code: {error}") from error
    if not bound & master.binds[one.answer]:
        raise MasterError(f"{where} defines {sorted(bound)}. Expected {sorted(master.binds[one.answer])}.")


def _cell(path: Path, number: int, cell: Any) -> MasterCell:
    facts: Mapping[str, Any] = cell.metadata.get("nbgrader", cell.metadata)
    default = "text" if cell.cell_type == "markdown" else "given"
    grade_id = str(facts.get("grade_id", f"{default}-{number}"))
    where = f"{path}, cell {grade_id!r}"
    kind = facts.get("kind", default)
    if kind not in KINDS:
        raise MasterError(f"{where}: kind is {kind!r}. Expected one of {', '.join(KINDS)}.")
    if (cell.cell_type == "markdown") != (kind in ("text", "written")):
        raise MasterError(f"{where}: a {cell.cell_type} cell cannot be of kind {kind!r}.")
    points = facts.get("points", 0)
    if (kind in ("test", "written")) != (points > 0):
        raise MasterError(f"{where}: points is {points}. Expected more than 0 for test and written cells, else none.")
    if not grade_id.replace("-", "").replace("_", "").isalnum() or len(grade_id) > 64:
        raise MasterError(f"{where}: grade_id may hold letters, digits and dashes or underscores, and at most 64.")
    _check_source(where, kind, cell.source)
    return MasterCell(grade_id, kind, cell.source, float(points), cell.cell_type)


def _check_source(where: str, kind: str, source: str) -> None:
    try:
        has_solution = without_region(source, SOLUTION) != source
        has_hidden = without_region(source, HIDDEN_TESTS) != source
        if kind in ("given", "answer", "test"):
            ast.parse(source)
    except (RegionError, SyntaxError) as error:
        raise MasterError(f"{where}: {error}") from error
    if has_solution != (kind in ("answer", "written")):
        raise MasterError(f"{where}: a solution region is for answer and written cells, and each of them needs one.")
    if has_hidden and kind != "test":
        raise MasterError(f"{where}: hidden tests stand in a cell of kind {kind!r}, which students would see.")
    if kind == "given":
        try:
            code = as_run(source)
        except ValueError as error:
            raise MasterError(f"{where}: {error}") from error
        if any(name.split(".")[0] == "bncourse" for name in imports_of(ast.parse(code))):
            text = f"{where}: a given cell runs beside the answers, where bncourse is not installed."
            raise MasterError(f"{text} Only functions of {GIVEN} can be imported, because their code is put there.")


def _check_whole(path: Path, facts: Mapping[str, Any], cells: tuple[MasterCell, ...]) -> None:
    if facts["assignment"] != path.stem:
        raise MasterError(f"{path}: bncourse.assignment is {facts['assignment']!r}. Expected the file's name.")
    twice = [name for name, times in Counter(cell.grade_id for cell in cells).items() if times > 1]
    if twice:
        raise MasterError(f"{path}: the grade_id {twice[0]!r} stands on more than one cell.")
    total = sum(cell.points for cell in cells)
    if total != facts["points"]:
        raise MasterError(f"{path}: bncourse.points is {facts['points']}, but the cells' points add up to {total:g}.")
