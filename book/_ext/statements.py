"""What each statement of a cell binds, changes and uses, read from its text."""

import ast
import symtable
from functools import cache
from typing import NamedTuple


class Statement(NamedTuple):
    """A statement: its text and tree, the names it binds, those whose things it changes, and those it uses.

    A name that a loop binds before it uses it is none of those used.
    """

    text: str
    node: ast.stmt
    bound: frozenset[str]
    changed: frozenset[str]
    used: frozenset[str]


@cache
def statements(source: str) -> tuple[Statement, ...]:
    r"""Read the statements of a cell, each with the comments above it.

    >>> [one.text for one in statements("# why\nx = 1\nprint(x)")]
    ['# why\nx = 1', 'print(x)']
    """
    lines, last, found = source.splitlines(), 0, []
    for node in ast.parse(source).body:
        text = "\n".join(lines[last : node.end_lineno]).strip("\n")
        last = node.end_lineno or last
        bound, _, used = names(text)
        found.append(Statement(text, node, frozenset(bound), changed(node), frozenset(used) - bound_first(node)))
    return tuple(found)


def names(source: str) -> tuple[set[str], set[str], set[str]]:
    r"""The names that a cell binds, those of them that are functions, classes or imports, and those that it uses.

    >>> bound, fixed, used = names("import math\ny = math.sqrt(x)")
    >>> sorted(bound), sorted(fixed), sorted(used)
    (['math', 'y'], ['math'], ['math', 'x'])
    >>> names("total += 1")[2]  # what is added to has to be there
    {'total'}
    """
    top = symtable.symtable(source, "<cell>", "exec")
    bound, fixed, used = set(), set(), set()
    for symbol in top.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            bound.add(symbol.get_name())
        if symbol.is_imported() or symbol.is_namespace():
            fixed.add(symbol.get_name())
        if symbol.is_referenced():
            used.add(symbol.get_name())
    used |= {
        node.target.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in bound
    }
    waiting = list(top.get_children())
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        used |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return bound, fixed, used


def bound_first(node: ast.AST) -> frozenset[str]:
    """The names that a loop binds before it uses them."""
    first: dict[str, bool] = {}

    def look(one: ast.AST) -> None:
        if isinstance(one, ast.Name):
            first.setdefault(one.id, isinstance(one.ctx, ast.Store))
        elif isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name):
            first.setdefault(one.target.id, False)
        early = [getattr(one, "iter", None), getattr(one, "value", None)] if not isinstance(one, ast.Attribute) else []
        early = [each for each in early if isinstance(each, ast.AST)]
        for each in [*early, *(each for each in ast.iter_child_nodes(one) if each not in early)]:
            look(each)

    if isinstance(node, ast.For):
        look(node)
    return frozenset(name for name, stored in first.items() if stored)


def changed(node: ast.AST) -> frozenset[str]:
    """The names whose things a statement changes: by a subscript, an attribute, or a call of `append` and its like."""
    found = set()
    for one in ast.walk(node):
        target = None
        if isinstance(one, ast.Subscript | ast.Attribute) and not isinstance(one.ctx, ast.Load):
            target = one.value
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
            target = one.func.value if one.func.attr in ("append", "extend", "add", "update", "step") else None
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            found.add(target.id)
    return frozenset(found)
