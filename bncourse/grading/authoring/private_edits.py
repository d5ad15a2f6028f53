"""A master's cells and a list of changes in; the changed text out, or which change does not fit the master."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from bncourse.diagnosis.restated import Restated
from bncourse.diagnosis.restated_torch import RestatedTorch

Conventions = Restated | RestatedTorch

Edits = dict[str, list[tuple[str, str]]]
"""For each cell's grade_id what stands there, and what stands there instead."""


class StructureError(ValueError):
    """A change that does not fit its master, and why."""


def edited(text: str, cells: Sequence[Any], edits: Edits, functions: Mapping[str, str], own: Conventions) -> str:
    """A master's text with its cells changed, and the students' functions turned round in its tests.

    Parameters
    ----------
    text : str
    cells : sequence
        The text's cells, in order.
    edits : Edits
    functions : mapping
        For each function that students write, and that a test calls, the method of `own` that turns it round.
    own : Restated or RestatedTorch

    Raises
    ------
    StructureError
        Naming the cell and what does not stand in it.
    """
    unused, made, place = set(edits), list[str](), 0
    for cell in cells:
        facts = cell.metadata.get("nbgrader", cell.metadata)
        name, source = str(facts.get("grade_id", "")), cell.source
        for old, new in edits.get(name, []):
            source = replaced(name, source, old, new)
        unused.discard(name)
        if facts.get("kind") == "test":
            source = _turned(source, functions, own)
        start = text.index(cell.source, place)
        made += [text[place:start], source]
        place = start + len(cell.source)
    if unused:
        raise StructureError(f"There is no cell {sorted(unused)[0]!r} in this master.")
    return "".join(made) + text[place:]


def replaced(name: str, source: str, old: str, new: str) -> str:
    """The source of a cell with one change; raises a StructureError where that does not fit."""
    if old not in source:
        raise StructureError(f"{old!r} does not stand in the cell {name!r} of this master.")
    return source.replace(old, new)


def _turned(source: str, functions: Mapping[str, str], own: Conventions) -> str:
    source, used = with_own_names(source, functions)
    if not used:
        return source
    made = type(own)
    return "\n".join(
        [
            f"from {made.__module__} import {made.__name__}",
            "",
            "# this test speaks as the book does, and converts your functions first",
            f"own = {shown(own)}",
            *(f"own_{name} = own.{functions[name]}({name})" for name in used),
            source,
        ]
    )


def with_own_names(source: str, functions: Iterable[str]) -> tuple[str, list[str]]:
    """A test in which `f` is called `own_f`, and which functions it uses; what the test defines itself stays.

    Names of keyword arguments and words in messages stay too.
    """
    tree = ast.parse(source)
    known = set(functions)
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in known]
    bound = {node.id for node in used if isinstance(node.ctx, ast.Store)}
    bound |= {each.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for each in node.args}
    used = [node for node in used if node.id not in bound]
    lines = [line.encode() for line in source.split("\n")]
    for node in sorted(used, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        line = lines[node.lineno - 1]
        lines[node.lineno - 1] = line[: node.col_offset] + b"own_" + line[node.col_offset :]
    there = {node.id for node in used}
    return "\n".join(line.decode() for line in lines), [name for name in functions if name in there]


def shown(own: Conventions) -> str:
    """The conventions as code, without what is as in the book."""
    made = type(own)
    book = made()
    said = {each.name: getattr(own, each.name) for each in fields(own)}
    told = ", ".join(f"{name}={value!r}" for name, value in said.items() if value != getattr(book, name))
    return f"{made.__name__}({told})"
