"""What the text of a class says: its attributes, which of them are moving averages, and methods by what they do."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from bncourse.diagnosis.conventions.names import gradient_of, role_of
from bncourse.diagnosis.conventions.syntax import constants_of

STARTS = ("__init__", "build", "reset", "setup", "__post_init__", "init_params", "initialize")
"""Methods in which a running statistic begins."""


def attributes(trees: list[Any]) -> set[str]:
    """Names of everything that is assigned to self, and keys."""
    found = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found | {value for tree in trees for value in constants_of(tree) if isinstance(value, str)}


def averaged(trees: list[Any]) -> set[str]:
    """Attributes that no method but the constructor sets to anything new: moving averages, whatever their name."""
    moved, new = set[str](), set[str]()
    methods = (one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))
    for node in (node for one in methods if one.name not in STARTS for node in ast.walk(one)):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute):
            moved.add(node.target.attr)
        elif isinstance(node, ast.Assign):
            old = set(_fields(node.value))
            for name in (name for target in node.targets for name in _fields(target)):
                (moved if name in old else new).add(name)
    return moved - new


def of_gamma(trees: list[Any], may_be: Callable[[str], bool], *, gradient: bool = False) -> str | None:
    """Name of the only method that takes one argument and has to do with gamma, or sets its gradient."""
    found = []
    for method in (one for tree in trees for one in tree.body if isinstance(one, ast.FunctionDef)):
        needed = len(method.args.args) - len(method.args.defaults)
        words = [node for node in ast.walk(method) if isinstance(node, ast.Attribute)]
        speaks = any(
            gradient_of(one.attr) == "gamma" and isinstance(one.ctx, ast.Store)
            if gradient
            else role_of(one.attr, ("gamma",)) == "gamma" and isinstance(one.ctx, ast.Load)
            for one in words
        )
        if needed == 2 and speaks and not method.name.startswith("__") and may_be(method.name):
            found.append(method.name)
    return found[0] if len(set(found)) == 1 else None


def _fields(tree: ast.AST) -> Iterator[str]:
    """Names of the attributes of self that an expression reads or sets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            yield node.attr
