"""A cell's text in; its statements out, compiled once for all forks where every student has the cell."""

import __future__

import ast
import contextlib
import types
import warnings
from typing import NamedTuple

from .parsing import parse

GIVEN: dict[tuple[str, str], list["Statement"]] = {}
"""Cells that everybody gets, by name and source, compiled before the fork."""
UNSEEN: dict[tuple[str, str], list["Statement"]] = {}
"""The same for where nobody sees what they print: there it is not even formatted."""


class Statement(NamedTuple):
    """A statement at the top of a cell."""

    tree: ast.stmt | None
    """None where the whole cell is one definition, which is compiled from its text."""
    code: types.CodeType | None
    """None where it is compiled when its turn comes, as a student's are: what does not compile costs only itself."""


def learn(cell: str, source: str) -> None:
    """Compile a given cell for all forks that are to come."""
    problems: list[tuple[int, str, str]] = []
    with contextlib.suppress(SyntaxError, ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trees = list(parse(source, problems))
        found = [Statement(tree, compiled(tree, f"<{cell}>", 0, last=tree is trees[-1])) for tree in trees]
        unseen = [Statement(tree, compiled(unprinted(tree), f"<{cell}>", 0, last=False)) for tree in trees]
        if not problems and not any(isinstance(tree, ast.ImportFrom) and tree.module == "__future__" for tree in trees):
            GIVEN[cell, source], UNSEEN[cell, source] = found, unseen


def unprinted(node: ast.stmt) -> ast.stmt:
    """The statement; of a plain `print` that nobody sees, only its arguments.

    >>> ast.unparse(unprinted(ast.parse("print(rng.normal(), 2, sep='')").body[0]))
    "(rng.normal(), 2, '')"
    """
    call = node.value if isinstance(node, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"):
        return node
    if any(keyword.arg not in ("sep", "end", "flush") for keyword in call.keywords):
        return node
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return ast.fix_missing_locations(ast.copy_location(ast.Expr(ast.Tuple(given, ast.Load())), node))


def compiled(tree: ast.stmt, filename: str, flags: int, *, last: bool) -> types.CodeType:
    """The code of one statement; of a last expression, that of its value."""
    whole: ast.Expression | ast.Module
    if last and isinstance(tree, ast.Expr):
        whole, mode = ast.Expression(tree.value), "eval"
    else:
        whole, mode = ast.Module([tree], type_ignores=[]), "exec"
    code: types.CodeType = compile(whole, filename, mode, flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code


def future_flags(tree: ast.stmt | None) -> int:
    """What a statement imports from `__future__`, as the compiler is told of it."""
    if not (isinstance(tree, ast.ImportFrom) and tree.module == "__future__"):
        return 0
    found = (getattr(__future__, alias.name, None) for alias in tree.names)
    return sum({getattr(each, "compiler_flag", 0) for each in found})


def one_definition(source: str, filename: str, flags: int) -> list[Statement]:
    """The cell, if it is one `def` or `class` and nothing else, as most answers are; compiled in half the time."""
    tops = [line for line in source.split("\n") if line.strip() and line[0] not in " \t#)"]
    if len(tops) == 1 and tops[0].startswith(("def ", "class ")):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return [Statement(None, compile(source, filename, "exec", flags, dont_inherit=True))]
    return []
