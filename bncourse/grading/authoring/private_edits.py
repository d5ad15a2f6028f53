"""A master's cells and a list of changes in; the changed text out, or which change does not fit the master."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from bncourse.diagnosis.restated import Restated

Edits = dict[str, list[tuple[str, str]]]
"""For each cell's grade_id what stands there, and what stands there instead."""


class StructureError(ValueError):
    """A change that does not fit its master, and why."""


def edited(text: str, cells: Sequence[Any], edits: Edits, functions: Mapping[str, str], own: Restated) -> str:
    """A master's text with its cells changed, and the students' functions turned round in its tests.

    Parameters
    ----------
    text : str
    cells : sequence
        The text's cells, in order.
    edits : Edits
    functions : mapping
        For each function that students write, and that a test calls, the method of `Restated` that turns it round.
    own : Restated

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
            if old not in source:
                raise StructureError(f"{old!r} does not stand in the cell {name!r} of this master.")
            source = source.replace(old, new)
        unused.discard(name)
        if facts.get("kind") == "test":
            source = _turned(source, functions, own)
        start = text.index(cell.source, place)
        made += [text[place:start], source]
        place = start + len(cell.source)
    if unused:
        raise StructureError(f"There is no cell {sorted(unused)[0]!r} in this master.")
    return "".join(made) + text[place:]


def _turned(source: str, functions: Mapping[str, str], own: Restated) -> str:
    used = [name for name in functions if re.search(rf"(?<![\w.]){name}\b", source)]
    if not used:
        return source
    for name in used:
        source = re.sub(rf"(?<![\w.]){name}\b", f"own_{name}", source)
    lines = [f"own_{name} = own.{functions[name]}({name})" for name in used]
    return "\n".join(
        [
            "from bncourse.diagnosis.restated import Restated",
            "",
            "# this test speaks of samples in rows, as the book does, and turns your functions round",
            f"own = {shown(own)}",
            *lines,
            source,
        ]
    )


def shown(own: Restated) -> str:
    """The conventions as code, without what is as in the book."""
    book = Restated()
    said = {each.name: getattr(own, each.name) for each in fields(own)}
    return f"Restated({', '.join(f'{name}={value!r}' for name, value in said.items() if value != getattr(book, name))})"
