"""A master's cells and dice in; the same with the arguments of its functions in another order out.

The assignments without a structure of their own in `private` get signatures of their own: the solution, the cells that
call the functions and the text follow, and the tests turn each function round before they check it.
"""

import ast
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bncourse.grading.authoring.private_edits import with_own_names

Signatures = dict[str, tuple[str, ...]]
"""For each function the names of its positional arguments, in this course's order."""

IMPORT = "from bncourse.diagnosis.restated import reordered"
ALIKE = frozenset({"merge", "honest_gradient"})
"""Functions that can give the same result when their arguments change places."""
NOTE = (
    "After you hand in, the same kind of test runs again with other numbers and other shapes, so write for any batch."
)
TURNED = (
    "Arguments stand in the order that the cells of this notebook show; where a test says another, it is the book's."
)


def drawn_signatures(cells: Iterable[Any], dice: random.Random) -> tuple[Signatures, Signatures]:
    """The published signatures of the functions that students write, and this course's.

    Functions of one argument stay, and those that some cell calls with a star.
    """
    published, starred = Signatures(), set[str]()
    for cell in cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        if _facts(cell).get("kind") == "answer":
            published |= {each.name: _positional(each) for each in tree.body if isinstance(each, ast.FunctionDef)}
        elif _facts(cell).get("kind") != "test":
            starred |= {call.func.id for call in _calls(tree) if any(isinstance(arg, ast.Starred) for arg in call.args)}  # type: ignore[attr-defined]
    published = {name: order for name, order in published.items() if len(order) > 1 and name not in starred | ALIKE}
    return published, {name: _other(order, dice) for name, order in published.items()}


def with_signatures(cells: Sequence[Any], published: Signatures, own: Signatures) -> list[str]:
    """The sources of the cells, with calls, definitions, text and tests as the own signatures want them."""
    return [_source(cell, published, own) for cell in cells]


def turns_round(source: str) -> bool:
    """Whether a test turns a function round before it calls it."""
    return IMPORT in source


def _source(cell: Any, published: Signatures, own: Signatures) -> str:
    source: str = cell.source
    if cell.cell_type != "code":
        source = source.replace(NOTE, f"{NOTE}\n{TURNED}")
        return _in_text(source, published, own)
    if _facts(cell).get("kind") == "test":
        return _turned(source, published, own)
    return reordered(source, published, own)


def _facts(cell: Any) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = cell.metadata.get("nbgrader", cell.metadata)
    return facts


def _positional(function: ast.FunctionDef) -> tuple[str, ...]:
    """The names of the arguments that have no default."""
    arguments = function.args.args
    return tuple(each.arg for each in arguments[: len(arguments) - len(function.args.defaults)])


def _other(order: tuple[str, ...], dice: random.Random) -> tuple[str, ...]:
    """Another order, in which the first argument is another one."""
    first = dice.choice(order[1:])
    rest = [name for name in order if name != first]
    dice.shuffle(rest)
    return (first, *rest)


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]


def reordered(source: str, published: Signatures, own: Signatures) -> str:
    """Code in which definitions and calls follow the own signatures."""
    tree, lines = ast.parse(source), source.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()) + 1)
    raw = source.encode()

    def place(node: ast.expr | ast.arg) -> tuple[int, int]:
        begin = starts[node.lineno - 1] + node.col_offset
        return begin, starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    swaps = dict[tuple[int, int], tuple[int, int]]()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in own:
            inputs: Sequence[ast.expr | ast.arg] = node.args.args
            name = node.name
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in own:
            inputs, name = node.args, node.func.id
        else:
            continue
        order = published[name]
        if len(inputs) < len(order):
            if inputs:
                raise ValueError(f"{name} is called with {len(inputs)} positional arguments: {source!r}")
            continue
        for at, wanted in enumerate(own[name]):
            swaps[place(inputs[at])] = place(inputs[order.index(wanted)])

    def shown(begin: int, end: int) -> bytes:
        inside = sorted(span for span in swaps if begin <= span[0] and span[1] <= end and span != (begin, end))
        made, here = b"", begin
        for span in inside:
            if span[0] >= here:
                made += raw[here : span[0]] + shown(*swaps[span])
                here = span[1]
        return made + raw[here:end]

    return shown(0, len(raw)).decode()


def _in_text(source: str, published: Signatures, own: Signatures) -> str:
    """Text in which a call such as `f(x, y)` follows the own signatures."""

    def turned(call: re.Match[str]) -> str:
        name, inputs = call[1], [each.strip() for each in call[2].split(",")]
        order = published[name]
        if len(inputs) < len(order):
            return call[0]
        front = [inputs[order.index(wanted)] for wanted in own[name]]
        return f"{name}({', '.join([*front, *inputs[len(order) :]])})"

    names = "|".join(map(re.escape, own))
    return re.sub(rf"\b({names})\(([^()`\n]*)\)", turned, source) if names else source


def _turned(source: str, published: Signatures, own: Signatures) -> str:
    """A test that turns the functions round before it calls them in the published order."""
    source, used = with_own_names(source, own)
    if not used:
        return source
    return "\n".join(
        [
            IMPORT,
            "",
            "# this test names arguments in the book's order, and converts your functions first",
            *(f"own_{name} = reordered({name}, {published[name]}, {own[name]})" for name in used),
            source,
        ]
    )
