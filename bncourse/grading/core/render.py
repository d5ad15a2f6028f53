"""A master in; notebooks out, and always the same bytes for the same master."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from bncourse.grading.core.names import bound_names, parse
from bncourse.grading.core.records import Kind, Master, MasterCell, substitutes_of
from bncourse.grading.core.regions import HIDDEN_TESTS, SOLUTION, Region, released_source, without_region

Notebook = dict[str, Any]

_FLAGS: dict[Kind, tuple[bool, bool, bool]] = {
    "given": (False, False, True),
    "answer": (False, True, False),
    "test": (True, False, True),
    "written": (True, True, False),
}
"""nbgrader's flags grade, solution and locked, for each kind of cell that it manages."""
STUB = Region("BEGIN STUB", "END STUB")
"""What stands in a release for the lines that begin and end a solution."""
RELEASE = "release"
"""Under which name a notebook's metadata says what its cells were when they were released, for `bncourse check`."""


def source_notebook(master: Master) -> Notebook:
    """The notebook that lies in nbgrader's source folder, with solutions and hidden tests."""
    facts = {
        "assignment": master.assignment,
        "title": master.title,
        "imports": list(master.imports),
        "seconds_per_test": master.seconds_per_test,
        "seconds_in_all": master.seconds_in_all,
        "substitutes": [asdict(each) for each in master.substitutes],
        **master.metadata,
        RELEASE: [asdict(_renamed(_public(cell), SOLUTION, STUB)) for cell in master.cells if cell.kind != "text"],
    }
    return {
        "cells": [_cell(cell) for cell in master.cells],
        "metadata": {
            "bncourse": facts,
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def master_of(notebook: Mapping[str, Any]) -> Master:
    """The master that a source notebook was rendered from."""
    facts = dict(notebook["metadata"]["bncourse"])
    facts.pop(RELEASE, None)
    return Master(
        assignment=facts.pop("assignment"),
        title=facts.pop("title"),
        cells=tuple(_master_cell(cell) for cell in notebook["cells"]),
        imports=tuple(facts.pop("imports")),
        seconds_per_test=facts.pop("seconds_per_test"),
        seconds_in_all=facts.pop("seconds_in_all"),
        substitutes=substitutes_of(facts.pop("substitutes", ())),
        metadata=facts,
    )


def public_master(notebook: Mapping[str, Any]) -> Master | None:
    """What a released notebook, or one that was made of it, says of its master: no solution and no hidden test.

    Returns
    -------
    Master or None
        None where the notebook says nothing, or something else.
    """
    try:
        facts = dict(notebook["metadata"]["bncourse"])
        cells = tuple(_renamed(MasterCell(**cell), STUB, SOLUTION) for cell in facts.pop(RELEASE))
        if not all(cell.kind in _FLAGS and isinstance(cell.source, str) for cell in cells):
            return None
        return Master(
            assignment=str(facts["assignment"]),
            title=str(facts["title"]),
            cells=cells,
            imports=tuple(map(str, facts["imports"])),
            seconds_per_test=float(facts["seconds_per_test"]),
            seconds_in_all=float(facts["seconds_in_all"]),
            substitutes=substitutes_of(facts.get("substitutes", ())),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _renamed(cell: MasterCell, old: Region, new: Region) -> MasterCell:
    return replace(cell, source=cell.source.replace(old.begin, new.begin).replace(old.end, new.end))


def _public(cell: MasterCell) -> MasterCell:
    """A cell as it is released; of a solution, the names that it binds are left."""
    if cell.kind == "test":
        return replace(cell, source=without_region(cell.source, HIDDEN_TESTS))
    if cell.kind not in ("answer", "written"):
        return cell
    names: set[str] = set()
    if cell.kind == "answer":
        names = bound_names(parse(cell.source)) - bound_names(parse(_with_stubs(cell.source, [])))
    return replace(cell, source=_with_stubs(cell.source, [f"{name} = None" for name in sorted(names)]))


def _with_stubs(source: str, first: list[str]) -> str:
    """The source with `pass` in each solution; these lines stand in the first one that is not indented."""
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        inside = inside or SOLUTION.begin in line
        if SOLUTION.begin in line:
            lines += [line, *(first if not indent else []), f"{indent}pass"]
            first = first if indent else []
        elif not inside or SOLUTION.end in line:
            lines.append(line)
        inside = inside and SOLUTION.end not in line
    return "\n".join(lines)


def release_notebook(master: Master) -> Notebook:
    """The notebook that students get, but for nbgrader's checksums and locks: no solutions, no hidden tests."""
    notebook = source_notebook(master)
    for cell in notebook["cells"]:
        cell["source"] = released_source(cell["source"], cell["cell_type"])
    return notebook


def as_bytes(notebook: Mapping[str, Any]) -> bytes:
    """A notebook as nbformat writes it."""
    return (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def as_compact_bytes(notebook: Mapping[str, Any]) -> bytes:
    """The same on one line, many times as fast: for what is written by the thousand and read by programs."""
    return (json.dumps(notebook) + "\n").encode()


def _cell(cell: MasterCell) -> dict[str, Any]:
    rendered: dict[str, Any] = {"cell_type": cell.cell_type, "id": cell.grade_id, "metadata": {}, "source": cell.source}
    if cell.cell_type == "code":
        rendered.update(execution_count=None, outputs=[])
    if cell.kind != "text":
        rendered["metadata"]["nbgrader"] = nbgrader_metadata(cell)
    return rendered


def nbgrader_metadata(cell: MasterCell) -> dict[str, Any]:
    """What nbgrader keeps with a cell: its flags, its name and its points."""
    grade, solution, locked = _FLAGS[cell.kind]
    facts = {
        "cell_type": cell.cell_type,
        "grade": grade,
        "grade_id": cell.grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return facts | {"points": cell.points} if grade else facts


def _master_cell(cell: Mapping[str, Any]) -> MasterCell:
    facts = cell["metadata"].get("nbgrader")
    kind: Kind = "text"
    if facts is not None:
        flags = (facts["grade"], facts["solution"], facts["locked"])
        kind = next(name for name, its in _FLAGS.items() if its == flags)
    points = float(facts.get("points", 0.0)) if facts else 0.0
    return MasterCell(cell["id"], kind, cell["source"], points, cell["cell_type"])
