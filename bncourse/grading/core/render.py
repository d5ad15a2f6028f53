"""A master in; notebooks out, and always the same bytes for the same master."""

import json
from collections.abc import Mapping
from typing import Any

from bncourse.grading.core.records import Kind, Master, MasterCell
from bncourse.grading.core.regions import released_source

Notebook = dict[str, Any]

_FLAGS: dict[Kind, tuple[bool, bool, bool]] = {
    "given": (False, False, True),
    "answer": (False, True, False),
    "test": (True, False, True),
    "written": (True, True, False),
}
"""nbgrader's flags grade, solution and locked, for each kind of cell that it manages."""


def source_notebook(master: Master) -> Notebook:
    """The notebook that lies in nbgrader's source folder, with solutions and hidden tests."""
    facts = {
        "assignment": master.assignment,
        "title": master.title,
        "imports": list(master.imports),
        "seconds_per_test": master.seconds_per_test,
        "seconds_in_all": master.seconds_in_all,
        **master.metadata,
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
    return Master(
        assignment=facts.pop("assignment"),
        title=facts.pop("title"),
        cells=tuple(_master_cell(cell) for cell in notebook["cells"]),
        imports=tuple(facts.pop("imports")),
        seconds_per_test=facts.pop("seconds_per_test"),
        seconds_in_all=facts.pop("seconds_in_all"),
        metadata=facts,
    )


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
