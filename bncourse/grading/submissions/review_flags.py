"""A reading in; what a person should see of it out: work that a machine or a library did for the student."""

import ast
import contextlib
from collections.abc import Iterator, Mapping

from bncourse.grading.core.names import parse
from bncourse.grading.core.records import Master
from bncourse.grading.submissions.library_shortcuts import MAY_NAME_ONE, shortcuts
from bncourse.grading.submissions.read import Reading

HOW = {
    "differences": "measures what it returns with many forward passes of nudged inputs",
    "complex": "measures what it returns with a complex step",
    "unseen": "finds what it returns where it is not seen how, as in a thread of its own",
}
"""What was seen of a function while it ran, in words."""


def looks(reading: Reading, measured: Mapping[str, str]) -> str:
    """Return why a person should look, or an empty text.

    Parameters
    ----------
    reading : Reading
        What was handed in.
    measured : mapping
        Functions that were seen to measure derivatives, and how.
    """
    return "; ".join([*reading.looks, *(f"{name} {HOW[how]}" for name, how in sorted(measured.items()))])


def library_looks(master: Master, reading: Reading) -> Iterator[str]:
    """Say which cells, also those in between, name what PyTorch would do for them."""
    if "torch" not in master.imports:
        return
    places = [(f"cell {cell.grade_id}", reading.answers.get(cell.grade_id, "")) for cell in master.cells]
    places += [(f"a cell after {extra.after}", extra.source) for extra in (*reading.extras, *reading.moved)]
    written = {f"cell {cell.grade_id}" for cell in master.cells if cell.kind != "answer"}
    for place, source in places:
        tree = _parse(source) if place not in written and MAY_NAME_ONE.search(source) else None
        found = shortcuts(tree, master.trees.values()) if tree is not None else []
        if found:
            yield f"{place} names {found[0]}, which does the work for it"


def _parse(source: str) -> ast.Module | None:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return parse(source)
    return None
