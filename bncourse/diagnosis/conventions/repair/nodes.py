"""New nodes of a syntax tree, with the place of those that they replace."""

import ast
import copy
import functools
from typing import Any


def at(node: ast.AST, new: Any) -> Any:
    """Give new nodes the place of an old one; what stood in the tree before has its own."""
    if hasattr(new, "lineno"):
        todo = list(ast.iter_child_nodes(new)) if isinstance(new, ast.Call) else []
    else:
        if isinstance(new, ast.expr | ast.stmt | ast.keyword):
            ast.copy_location(new, node)
        todo = list(ast.iter_child_nodes(new))
    for one in todo:
        if not hasattr(one, "lineno"):
            at(node, one)
    return new


@functools.lru_cache(maxsize=1024)
def parsed(text: str) -> ast.expr:
    """A value that is at hand, as a tree; all edits share it."""
    return ast.parse(text, mode="eval").body


def called(node: ast.Call, **changed: Any) -> ast.Call:
    """Return a call with something else in it."""
    new = copy.copy(node)
    for name, value in changed.items():
        setattr(new, name, value)
    return at(node, new)  # type: ignore[no-any-return]


def renamed(func: ast.expr, name: str) -> ast.expr:
    """Return a function, or a method, of another name."""
    new = copy.copy(func)
    setattr(new, "attr" if isinstance(func, ast.Attribute) else "id", name)
    return new


def read(target: ast.expr) -> ast.expr:
    """Return the target of an assignment as something that is read."""
    new = copy.copy(target)
    new.ctx = ast.Load()  # type: ignore[attr-defined]
    return new


def number_node(value: float) -> ast.expr:
    """Return a number as it is written."""
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    return ast.Constant(number) if number >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-number))
