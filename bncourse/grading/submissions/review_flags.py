"""A reading in; what a person should see of it out: work that a machine or a library did for the student."""

import ast
import contextlib
import itertools
from collections.abc import Iterator, Mapping

from bncourse.grading.core.names import parse
from bncourse.grading.core.plain_text import inert
from bncourse.grading.core.records import Master
from bncourse.grading.submissions.library_shortcuts import MAY_NAME_ONE, shortcuts
from bncourse.grading.submissions.read import Reading

MAX_LOOKS, MAX_TEXT = 20, 2_000
"""Cells that are said to name a shortcut, and characters of all reasons: a name may be as long as a cell."""
HOW = {
    "differences": "measures what it returns with many forward passes of nudged inputs",
    "complex": "measures what it returns with a complex step",
    "arithmetic": "finds what it returns with numbers of a class of its own, which may carry derivatives along",
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
    seen = (f"{name} {HOW[how]}" for name, how in sorted(measured.items()))
    return inert("; ".join([*seen, *reading.looks]), MAX_TEXT)


def library_looks(master: Master, reading: Reading) -> Iterator[str]:
    """Say which cells, also those in between, name what PyTorch would do for them; not of very many."""
    if "torch" in master.imports:
        yield from itertools.islice(_library_looks(master, reading), MAX_LOOKS)


def _library_looks(master: Master, reading: Reading) -> Iterator[str]:
    places = [(f"cell {cell.grade_id}", reading.answers.get(cell.grade_id, "")) for cell in master.cells]
    places += [(f"a cell after {extra.after}", extra.source) for extra in (*reading.extras, *reading.moved)]
    written = {f"cell {cell.grade_id}" for cell in master.cells if cell.kind != "answer"}
    for place, source in places:
        tree = _parse(source) if place not in written and MAY_NAME_ONE.search(source) else None
        found = shortcuts(tree, master.trees.values()) if tree is not None else []
        if found:
            yield f"{place} names {found[0][:80]}, which does the work for it"


def _parse(source: str) -> ast.Module | None:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return parse(source)
    return None
