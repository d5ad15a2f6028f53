"""A reading in; what a person should see out: work that a machine or a library did for the student."""

import ast
import contextlib
import re
from collections.abc import Iterator, Sequence

from bncourse.grading.core.names import parse
from bncourse.grading.core.records import Master
from bncourse.grading.submissions.library_shortcuts import SHORTCUT, shortcuts
from bncourse.grading.submissions.read import Reading

_FOR, _WHILE = re.compile(r"for\b"), re.compile(r"while\b")
"""Apart, and each beginning with its letters: so they are found ten times as fast."""
LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


def looks(master: Master, reading: Reading) -> str:
    """Return why a person should look, or an empty text."""
    coded = [cell for cell in master.cells if cell.kind in ("given", "answer")]
    binds = {cell.grade_id: master.binds[cell.grade_id] for cell in coded}
    reasons = list(reading.looks)
    for cell in coded:
        source = reading.answers.get(cell.grade_id, "")
        if cell.kind != "answer" or not _worth_a_look(source):
            continue
        tree = _parse(source)
        if tree is None:
            continue
        nodes = list(ast.walk(tree))
        if _complex_step(nodes) and not _complex_step(list(ast.walk(master.trees[cell.grade_id]))):
            reasons.append(f"cell {cell.grade_id} takes the imaginary part of a complex step")
        others = {name for other, names in binds.items() if other != cell.grade_id for name in names}
        again = sorted((set(_nudged_in_loops(nodes)) & others) - master.loads[cell.grade_id] - binds[cell.grade_id])
        if again:
            how = "in a loop with a nudged value and divides by a step, as finite differences do"
            reasons.append(f"cell {cell.grade_id} calls {again[0]} {how}")
    if "torch" in master.imports:
        reasons += _library(master, reading)
    return "; ".join(reasons)


def _worth_a_look(source: str) -> bool:
    """Whether a source holds what a complex step needs, or a loop and a quotient: to parse takes time."""
    if "imag" in source or "complex" in source:
        return True
    return "/" in source and bool(_FOR.search(source) or _WHILE.search(source))


def _library(master: Master, reading: Reading) -> Iterator[str]:
    """Say which cells, also those in between, name what PyTorch would do for them."""
    places = [(f"cell {cell.grade_id}", reading.answers.get(cell.grade_id, "")) for cell in master.cells]
    places += [(f"a cell after {extra.after}", extra.source) for extra in (*reading.extras, *reading.moved)]
    written = {f"cell {cell.grade_id}" for cell in master.cells if cell.kind != "answer"}
    for place, source in places:
        tree = _parse(source) if place not in written and SHORTCUT.search(source) else None
        found = shortcuts(tree, master.trees.values()) if tree is not None else []
        if found:
            yield f"{place} names {found[0]}, which does the work for it"


def _parse(source: str) -> ast.Module | None:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return parse(source)
    return None


def _complex_step(nodes: Sequence[ast.AST]) -> bool:
    imaginary = any(isinstance(n, ast.Attribute) and n.attr in ("imag", "complex128", "complex64") for n in nodes)
    literal = any(isinstance(n, ast.Constant) and isinstance(n.value, complex) for n in nodes)
    return imaginary and (
        literal or any(isinstance(n, ast.Name) and n.id == "complex" and isinstance(n.ctx, ast.Load) for n in nodes)
    )


def _nudged_in_loops(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Names of functions that a loop calls with a value that it changes a little, where a difference is divided.

    All three must be there: the call in a loop, an argument with a step added, and a quotient with a difference or a
    step in it. A loop over samples, channels or batches has none of the last two.
    """
    if not any(_is_quotient(node) for node in nodes):
        return
    for loop in nodes:
        if not isinstance(loop, LOOPS):
            continue
        moved = {name for node in ast.walk(loop) for name in _moved(node)}
        for node in ast.walk(loop):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and _is_nudged(node, moved):
                yield node.func.id


def _moved(node: ast.AST) -> Iterator[str]:
    """Names of arrays of which a loop moves one entry: `step[i] = 1e-6`, `x[i] += h`."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        targets: list[ast.expr] = [node.target]
    else:
        targets = node.targets if isinstance(node, ast.Assign) else []
    for target in targets:
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name | ast.Attribute):
            base = target.value.value if isinstance(target.value, ast.Attribute) else target.value
            if isinstance(base, ast.Name):
                yield base.id


def _is_nudged(call: ast.Call, moved: set[str]) -> bool:
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        if isinstance(argument, ast.Name) and argument.id in moved:
            return True
        if any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add | ast.Sub) for n in ast.walk(argument)):
            return True
    return False


def _is_quotient(node: ast.AST) -> bool:
    """Whether something is divided by a step: `(up - down) / (2 * h)`, `... / 2e-6`, `... * 0.5 / step`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        top, bottom = node.left, node.right
    elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
        top, bottom = ast.Constant(0), node.value
    else:
        return False
    small = any(isinstance(n, ast.Constant) and type(n.value) is float and 0 < n.value < 0.1 for n in ast.walk(bottom))
    return small or any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub) for n in ast.walk(top))
