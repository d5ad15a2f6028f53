"""The code of given functions, in the place of the line by which a notebook of this course imports them."""

import ast
import inspect
from collections.abc import Iterator

from bncourse.diagnosis import given
from bncourse.diagnosis.conventions.syntax import names_in


def with_given(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Put the code of given functions where a notebook of this course imports them: its own functions build on them."""
    for statement in statements:
        if isinstance(statement, ast.ImportFrom) and statement.module == given.__name__:
            yield from _given_code(frozenset(alias.name for alias in statement.names))
            if not any(alias.asname or alias.name == "*" for alias in statement.names):
                continue
        elif module := _given_module(statement):
            yield from _given_code(frozenset(_attributes_of(module, statements)))
        yield statement


def _given_module(statement: ast.stmt) -> str:
    """How the module of given functions is called where a statement imports it as a whole, or ""."""
    package, _, last = given.__name__.rpartition(".")
    whole = {package: last, "": given.__name__}
    module = statement.module if isinstance(statement, ast.ImportFrom) else ""
    for alias in statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else ():
        if alias.name == whole.get(module or ""):
            return alias.asname or alias.name
    return ""


def _attributes_of(module: str, statements: list[ast.stmt]) -> Iterator[str]:
    """What is used of a module."""
    for node in (node for one in statements for node in ast.walk(one)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == module:
            yield node.attr


def _given_code(wanted: frozenset[str]) -> Iterator[ast.stmt]:
    """The functions of the given module that are wanted, and what they need."""
    body = ast.parse(inspect.getsource(given)).body
    functions = {one.name: one for one in body if isinstance(one, ast.FunctionDef)}
    todo, found = sorted(functions if "*" in wanted else wanted & functions.keys()), set[str]()
    while todo:
        found.add(name := todo.pop())
        todo += sorted(names_in(functions[name]) & functions.keys() - found)
    for one in body:
        if isinstance(one, ast.Import | ast.ImportFrom) or (isinstance(one, ast.FunctionDef) and one.name in found):
            yield one
