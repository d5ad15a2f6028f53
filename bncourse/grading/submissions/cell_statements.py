"""The source of a cell in; its statements, with the names that each binds, changes and takes from the notebook, out."""

import ast
import contextlib
import symtable
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from bncourse.grading.core.names import bound_names, imported_names
from bncourse.grading.sandbox.inside.parsing import parse
from bncourse.grading.submissions.magics import plain_python


class Statement(NamedTuple):
    """A statement at the top of a cell."""

    text: str
    binds: frozenset[str]
    """Names that it binds, imports too."""
    changes: frozenset[str]
    """Names of values that it changes in place."""
    loads: frozenset[str]
    """Names that it, or a function that it defines, takes from the notebook."""
    stub: bool
    """Whether it is what the release says, which only raises."""


class Names(NamedTuple):
    """The names of a cell at its top level."""

    binds: frozenset[str]
    loads: frozenset[str]
    stubs: frozenset[str]
    """Those that it binds to nothing but a stub."""


@lru_cache(maxsize=1024)
def statements(source: str, released: str = "") -> tuple[Statement, ...]:
    """The statements of a cell, as much of it as can be parsed."""
    text = plain_python(source)
    lines = text.splitlines()
    if lines != text.removesuffix("\n").split("\n"):  # a form feed ends a line for one of them alone
        lines = []
    return tuple(_statement(node, lines, _stubs(released)) for node in _parsed(text))


@lru_cache(maxsize=1024)
def _stubs(released: str) -> frozenset[str]:
    """The statements of a release that only raise."""
    if "NotImplementedError" not in released:
        return frozenset()
    return frozenset(dump for dump in map(ast.dump, _parsed(plain_python(released))) if "NotImplementedError" in dump)


@lru_cache(maxsize=1024)
def names_of(source: str, released: str = "") -> Names:
    """The names of a cell."""
    found = statements(source, released)
    binds = frozenset(name for each in found if not each.stub for name in each.binds)
    stubs = frozenset(name for each in found if each.stub for name in each.binds)
    return Names(binds, frozenset(name for each in found for name in each.loads), stubs - binds)


def _parsed(text: str) -> list[ast.stmt]:
    with contextlib.suppress(RecursionError, MemoryError, ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(parse(text, []))
    return []


def _statement(node: ast.stmt, lines: list[str], stubs: frozenset[str]) -> Statement:
    text = _text(node, lines)
    loads = _taken(text)
    if loads is None:  # written otherwise than Python reads it, as with tabs that the parser was given as spaces
        text = ast.unparse(node)
        loads = _taken(text) or frozenset()
    binds = frozenset(bound_names(ast.Module([node], [])))
    binds |= imported_names(node) if "import" in text else frozenset()
    stub = bool(stubs) and "NotImplementedError" in text and ast.dump(node) in stubs
    return Statement(text, binds, frozenset(_changed(node)) - binds, loads, stub)


def _text(node: ast.stmt, lines: list[str]) -> str:
    """The lines of a statement, or, where others stand on them too, the statement written out again."""
    last = node.end_lineno or node.lineno
    if node.col_offset or last > len(lines):
        return ast.unparse(node)
    behind = lines[last - 1].encode()[node.end_col_offset or 0 :].strip()
    if behind and not behind.startswith(b"#"):
        return ast.unparse(node)
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
    return "\n".join(lines[first - 1 : last])


def _changed(node: ast.stmt) -> Iterator[str]:
    """Names of values that a statement changes: `d["a"] = 1`, `x += 1`, `found.append(1)`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for part in ast.walk(node):
        base: ast.AST = part
        if isinstance(part, ast.Call):
            base = part.func
        elif not (isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store)):
            continue
        while isinstance(base, ast.Subscript | ast.Attribute):
            base = base.value
            if isinstance(base, ast.Name):
                yield base.id


def _taken(text: str) -> frozenset[str] | None:
    """Names that a statement takes from the notebook: not those of the functions in it. None if it cannot be read."""
    try:
        tables = [symtable.symtable(text, "<cell>", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = set[str]()
    while tables:
        table = tables.pop()
        top = table.get_type() == "module"
        names.update(
            each.get_name() for each in table.get_symbols() if each.is_referenced() and (top or each.is_global())
        )
        tables += table.get_children()
    return frozenset(names)
