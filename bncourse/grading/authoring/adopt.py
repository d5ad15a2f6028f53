"""Another course's nbgrader notebook in; a master as ours are written, or what of it cannot be graded, out."""

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bncourse.grading.authoring.masters import MasterError, load_master
from bncourse.grading.core.install import Source
from bncourse.grading.core.names import imports_of
from bncourse.grading.core.records import Kind
from bncourse.grading.core.regions import SOLUTION, RegionError, without_region

_MAGIC = re.compile(r"^(\s*)%(?!%)(\w+)[ \t]*(.*)$", re.MULTILINE)
KEPT = {"notebook_metadata_filter": "bncourse", "cell_metadata_filter": "nbgrader"}
"""What jupytext writes of the metadata."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class Adopted(NamedTuple):
    """A notebook as a master."""

    name: str
    text: str
    """The master, as MyST text."""
    points: float
    notes: tuple[str, ...]
    """What an instructor should know."""


def adopt(path: Path, due: str, name: str = "") -> Adopted:
    """Turn the source notebook of an nbgrader assignment into a master.

    Parameters
    ----------
    path : Path
        The instructor's version, with solutions and tests, such as `source/ps1/problem1.ipynb`.
    due : str
        When it is due, in UTC, as `2027-02-12 23:59:00 UTC`.
    name : str
        The assignment's name; the file's if left out.

    Raises
    ------
    MasterError
        If it is no such notebook, or holds what cannot be graded here: all of that, with the cells' names.
    """
    import jupytext
    import nbformat
    from nbformat.v4 import new_notebook

    name = name or path.stem
    if not _NAME.fullmatch(name):
        raise MasterError(f"{name!r} cannot be an assignment's name. Expected letters, digits, dashes and underscores.")
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except Exception as error:
        raise MasterError(f"{path} cannot be read as a notebook: {error}") from error
    faults: list[str] = []
    cells = [_cell(number, cell, faults) for number, cell in enumerate(notebook.cells, start=1)]
    points = float(sum(cell.metadata["nbgrader"].get("points", 0) for cell in cells))
    if not faults and not points:
        faults.append("no cell has points: is this the instructor's version?")
    if faults:
        raise MasterError(f"{path} cannot be graded here as it is: {'; '.join(faults)}.")
    imports = tuple(dict.fromkeys(_imports(cells)))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    facts = {
        "assignment": name,
        "title": _title(cells) or name,
        "points": points,
        "due": due,
        "minutes": [],
        "goals": [],
        "imports": list(imports),
        "seconds_per_test": 30.0,
        "seconds_in_all": 300.0,
    }
    whole = new_notebook(cells=cells, metadata={"jupytext": KEPT, "kernelspec": kernel, "bncourse": facts})
    notes = [f"{name} may import {', '.join(imports)}"] if imports else []
    notes += [f"{each} is not installed here" for each in imports if not _is_installed(each)]
    return Adopted(name, jupytext.writes(whole, fmt="md:myst"), points, tuple(notes))


def adopted_as_meant(path: Path, source: Path) -> None:
    """Refuse a master that does not say what the notebook says.

    Raises
    ------
    MasterError
        If writing it as text has changed a cell.
    """
    import nbformat

    master = load_master(path, installed_from=Source())
    meant = [_cell(number, cell, []) for number, cell in enumerate(nbformat.read(source, as_version=4).cells, start=1)]
    for ours, theirs in zip(master.cells, meant, strict=True):
        if ours.source.strip() != theirs.source.strip():
            raise MasterError(f"{source}: cell {ours.grade_id!r} cannot be written as MyST text. Simplify its text.")


def _cell(number: int, cell: Any, faults: list[str]) -> Any:
    """A cell with the facts that a master gives it."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    facts: Mapping[str, Any] = cell.metadata.get("nbgrader") or {}
    code = cell.cell_type == "code"
    kind = _kind(facts, code=code)
    name = str(facts.get("grade_id") or "") if kind != "given" or facts.get("locked") else ""
    name = name or f"{kind}-{number}"
    points = float(facts.get("points") or 0) if kind in ("test", "written") else 0.0
    source = _MAGIC.sub(r"\1get_ipython().run_line_magic('\2', '\3')", cell.source) if code else cell.source
    if facts.get("task"):
        faults.append(f"cell {name} is a task, which only formgrader marks: make it a written answer")
    elif kind == "written" and code:
        faults.append(f"cell {name} is code that a person marks: put a test behind it, or ask for the words in text")
    elif kind in ("test", "written") and points <= 0:
        faults.append(f"cell {name} has no points: give it some, or delete it")
    if kind in ("answer", "written"):
        source = _with_solution(source, code=code)
    try:
        without_region(source, SOLUTION)
        if code:
            ast.parse(source)
    except (RegionError, SyntaxError) as error:
        faults.append(f"cell {name}: {error}")
    kept: dict[str, Any] = {"grade_id": name, "kind": kind, **({"points": points} if points else {})}
    made = (new_code_cell if code else new_markdown_cell)(source)
    made.metadata["nbgrader"] = kept
    return made


def _kind(facts: Mapping[str, Any], *, code: bool) -> Kind:
    if facts.get("grade"):
        return "written" if facts.get("solution") else "test"
    if facts.get("solution") and code:
        return "answer"
    return "given" if code else "text"


def _with_solution(source: str, *, code: bool) -> str:
    """Mark a whole cell as solution where the author has marked no part of it: so nbgrader clears it."""
    if SOLUTION.begin in source:
        return source
    mark = "### " if code else ""
    return f"{mark}{SOLUTION.begin}\n{source}\n{mark}{SOLUTION.end}"


def _imports(cells: Sequence[Any]) -> Iterator[str]:
    """The packages that given cells and solutions import, the standard library left out."""
    yield "numpy"
    for cell in cells:
        if cell.metadata["nbgrader"]["kind"] in ("given", "answer"):
            for module in imports_of(ast.parse(cell.source)):
                top = module.split(".")[0]
                if top not in sys.stdlib_module_names:
                    yield top


def _is_installed(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def _title(cells: Sequence[Any]) -> str:
    for cell in cells:
        found = re.search(r"^#+ (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if found:
            return str(json.loads(json.dumps(found[1].strip())))[:100]
    return ""
