"""A student's file, and of it the functions that normalize: what is needed is run, nothing else.

Only definitions, and the imports and assignments that they need, are executed, one by one: a line that trains, draws or
loads data is not. A module that is not installed is replaced by one that says so when it is used.
"""

import ast
import builtins
import linecache
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bncourse.diagnosis.conventions.cells import UnreadableError, read_cells, statements_of
from bncourse.diagnosis.conventions.given_functions import with_given
from bncourse.diagnosis.conventions.imports import NotHereError, bind_import, silence
from bncourse.diagnosis.conventions.methods import attach
from bncourse.diagnosis.conventions.names import kind_of
from bncourse.diagnosis.conventions.syntax import names_in


@dataclass
class Program:
    """What a file defines, ready to be called."""

    name: str
    namespace: dict[str, Any] = field(default_factory=dict)
    trees: dict[str, ast.FunctionDef | ast.ClassDef] = field(default_factory=dict)
    """Every function and class of the file, in order."""
    problems: dict[str, str] = field(default_factory=dict)
    """Names of definitions that could not be had, and why."""
    folder: str | None = None
    """Where the modules lie that it imports from beside it."""
    cells: list[int] = field(default_factory=list)
    """Of a notebook: how many lines stand before each code cell."""
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    """Those of `trees` that are functions, and the functions that became methods."""
    imports: frozenset[str] = frozenset()
    """Names of the packages that the file imports, needed or not."""

    @property
    def label(self) -> str:
        """Name of the file in tracebacks."""
        return f"<{self.name}>"


def _bound(statement: ast.stmt) -> list[str]:
    """Names that a statement of the top level binds."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.split(".")[0] for alias in statement.names]
    targets: Iterable[ast.expr] = ()
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        targets = (statement.target,)
    elif isinstance(statement, (ast.Try, ast.If, ast.With)):
        return [name for inner in statement.body for name in _bound(inner)]
    return sorted(names_in(*targets))


def load(text: str, name: str, wanted: Any, folder: str | None = None) -> Program:
    """Run what the wanted definitions of a file need.

    Parameters
    ----------
    text : str
        Of the file.
    name : str
        Of the file; it stands in tracebacks and messages.
    wanted : callable
        Given a definition (an ast node), whether it is one.
    folder : str, optional
        Where the modules lie that it imports from beside it.

    Raises
    ------
    UnreadableError
        If nothing of the file is Python.
    """
    program = Program(name, folder=folder)
    cells = read_cells(text, name)
    label = program.label
    statements: list[ast.stmt] = []
    offset = 0
    for cell in cells:
        statements += [ast.increment_lineno(one, offset) for one in statements_of(cell, program.problems)]
        program.cells.append(offset)
        offset += cell.count("\n") + 1
    statements = list(with_given(statements))
    program.imports = frozenset(_packages(statements))
    joined = "\n".join(cells)
    linecache.cache[label] = (len(joined), None, [f"{line}\n" for line in joined.splitlines()], label)
    if not statements and joined.strip() and not any(kind_of(name) for name in program.problems):
        raise UnreadableError(f"{name} holds no Python that can be read. Expected a .py file or a notebook.")
    for one in statements:
        if isinstance(one, (ast.FunctionDef, ast.ClassDef)):
            program.trees[one.name] = one
        if isinstance(one, ast.FunctionDef):
            program.functions[one.name] = one
    statements = attach(statements, program.trees, program.functions)
    needed = {tree.name for tree in program.trees.values() if wanted(tree) or _makes_a_start(tree)}
    while True:
        more = names_in(*(one for one in statements if needed & set(_bound(one)))) | needed
        if more == needed:
            break
        needed = more
    program.namespace |= {"__name__": "student", "__file__": name, "__builtins__": builtins, "xrange": range}
    for one in statements:
        if _is_star(one) or needed & set(_bound(one)):
            _run(one, program)
    return program


def _packages(statements: list[ast.stmt]) -> Iterator[str]:
    for node in (node for one in statements for node in ast.walk(one)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).split(".")[0]


def _makes_a_start(tree: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it may make what a function of params and state begins with, or the tensors that a function takes."""
    if isinstance(tree, ast.ClassDef):
        if {"__add__", "__mul__"} <= {getattr(one, "name", "") for one in tree.body}:
            return True
        return re.search(r"stat|running|moving|average|ema|moment|track|context|ctx", tree.name, re.I) is not None
    named = re.search(r"init|make|create|start|new_", tree.name)
    return len(tree.args.args) == 1 and named is not None


def _is_star(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"


def _run(statement: ast.stmt, program: Program) -> None:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        bind_import(statement, program.namespace, program.folder)
        return
    try:
        with silence():
            try:
                _execute(statement, program)
            except NotHereError:
                if not isinstance(statement, ast.FunctionDef) or not statement.decorator_list:
                    raise
                statement.decorator_list = []  # a compiler that is not here: the function is the same without it
                _execute(statement, program)
    except (Exception, SystemExit) as error:
        said = "" if isinstance(error, NotHereError) else f"its definition raised {type(error).__name__}: "
        program.problems |= dict.fromkeys(_bound(statement), f"{said}{error}")


def _execute(statement: ast.stmt, program: Program) -> None:
    exec(compile(ast.Module([statement], []), program.label, "exec"), program.namespace)
