"""What a person should look at although it may earn its marks: work that a machine or a library did instead."""

import ast
import contextlib
import re
from collections.abc import Iterator

from bncourse.grading.known import known
from bncourse.grading.names import loaded_names, parse
from bncourse.grading.records import Master
from bncourse.grading.repair import Reading
from bncourse.grading.shortcuts import SHORTCUT, shortcuts

_WORTH = re.compile(r"\b(for|while|imag|complex\w*)\b")
"""What a source must hold to be looked at more closely."""
LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


def looks(master: Master, reading: Reading) -> str:
    """Return why a person should look, or an empty text."""
    coded = [cell for cell in master.cells if cell.kind in ("given", "answer")]
    facts = known(master)
    binds = {cell.grade_id: facts.binds[cell.grade_id] for cell in coded}
    reasons: list[str] = []
    for cell in coded:
        source = reading.answers.get(cell.grade_id, "")
        if cell.kind != "answer" or not _WORTH.search(source):
            continue
        tree = _parse(source)
        if tree is None:
            continue
        ours = facts.trees[cell.grade_id]
        if _complex_step(tree) and not _complex_step(ours):
            reasons.append(f"cell {cell.grade_id} takes the imaginary part of a complex step")
        others = {name for other, names in binds.items() if other != cell.grade_id for name in names}
        again = sorted((set(_called_in_loops(tree)) & others) - facts.loads[cell.grade_id] - binds[cell.grade_id])
        if again:
            reasons.append(f"cell {cell.grade_id} calls {again[0]} in a loop, as finite differences do")
    if "torch" in master.imports:
        reasons += _library(master, reading)
    return "; ".join(reasons)


def _library(master: Master, reading: Reading) -> Iterator[str]:
    """Say which cells, also those in between, name what PyTorch would do for them."""
    facts = known(master)
    places = [(f"cell {cell.grade_id}", reading.answers.get(cell.grade_id, "")) for cell in master.cells]
    places += [(f"a cell after {extra.after}", extra.source) for extra in reading.extras]
    written = {f"cell {cell.grade_id}" for cell in master.cells if cell.kind != "answer"}
    for place, source in places:
        tree = _parse(source) if place not in written and SHORTCUT.search(source) else None
        found = shortcuts(tree, facts.trees.values()) if tree is not None else []
        if found:
            yield f"{place} names {found[0]}, which does the work for it"


def _parse(source: str) -> ast.Module | None:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return parse(source)
    return None


def _complex_step(tree: ast.Module) -> bool:
    nodes = list(ast.walk(tree))
    imaginary = any(isinstance(n, ast.Attribute) and n.attr in ("imag", "complex128", "complex64") for n in nodes)
    literal = any(isinstance(n, ast.Constant) and isinstance(n.value, complex) for n in nodes)
    return imaginary and (literal or "complex" in loaded_names(tree))


def _called_in_loops(tree: ast.Module) -> Iterator[str]:
    for loop in ast.walk(tree):
        if isinstance(loop, LOOPS):
            for node in ast.walk(loop):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield node.func.id
