"""What a person should look at although it may earn its marks: derivatives that were computed and not derived."""

import ast
import contextlib
from collections.abc import Iterator

from bncourse.grading.names import bound_names, loaded_names, parse
from bncourse.grading.records import Master
from bncourse.grading.repair import Reading

LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)


def looks(master: Master, reading: Reading) -> str:
    """Return why a person should look, or an empty text."""
    coded = [cell for cell in master.cells if cell.kind in ("given", "answer")]
    binds = {cell.grade_id: bound_names(parse(cell.source)) for cell in coded}
    reasons: list[str] = []
    for cell in coded:
        tree = _parse(reading.answers.get(cell.grade_id, ""))
        if cell.kind != "answer" or tree is None:
            continue
        ours = parse(cell.source)
        if _complex_step(tree) and not _complex_step(ours):
            reasons.append(f"cell {cell.grade_id} takes the imaginary part of a complex step")
        others = {name for other, names in binds.items() if other != cell.grade_id for name in names}
        again = sorted((set(_called_in_loops(tree)) & others) - loaded_names(ours) - binds[cell.grade_id])
        if again:
            reasons.append(f"cell {cell.grade_id} calls {again[0]} in a loop, as finite differences do")
    return "; ".join(reasons)


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
