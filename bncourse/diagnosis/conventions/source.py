"""A student's file, and of it the functions that normalize: what is needed is run, nothing else.

Only definitions, and the imports and assignments that they need, are executed, one by one: a line that trains, draws or
loads data is not. A module that is not installed is replaced by one that says so when it is used.
"""

import ast
import builtins
import inspect
import json
import linecache
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bncourse.diagnosis import given
from bncourse.diagnosis.conventions.imports import NotHereError, bind_import, silence
from bncourse.diagnosis.conventions.names import kind_of
from bncourse.diagnosis.conventions.syntax import names_in


class UnreadableError(ValueError):
    """The file holds no Python that could be looked at; the message says why and what to do."""


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


def read_cells(text: str, name: str) -> list[str]:
    """Return the code of a file: one text for a script, one a cell for a notebook, without magics.

    Raises
    ------
    UnreadableError
        If it is no text of Python and no notebook.
    """
    if name.endswith(".ipynb") or text.lstrip().startswith("{"):
        try:
            notebook = json.loads(text)
            cells = notebook.get("cells") or [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableError(f"{name} is not a notebook that can be read: {error}. Save it again.") from error
        found = []
        for cell in cells:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                source = cell.get("source", cell.get("input", ""))
                found.append("".join(source) if isinstance(source, list) else str(source))
    else:
        found = [text]
    if "\0" in text:
        raise UnreadableError(f"{name} holds no text. Expected Python or a notebook.")
    return [_without_magics(cell) for cell in found]


def _without_magics(cell: str) -> str:
    if re.match(r"\s*%%(?!time|capture|prun|writefile)", cell):
        return ""
    lines = []
    for line in cell.expandtabs(4).splitlines():
        magic = re.match(r"\s*[%!?]|.*\?\s*$|\s*get_ipython\(", line) and not re.match(r"\s*#", line)
        lines.append(re.sub(r"\S.*", "pass", line, count=1) if magic else line)
    return "\n".join(lines)


def _statements(code: str, program: Program) -> list[ast.stmt]:
    """Parse a cell; where it does not parse as a whole, every definition that does by itself."""
    try:
        return ast.parse(code).body
    except SyntaxError as error:
        whole = error
    starts = [match.start() for match in re.finditer(r"^(?=[^\s#)\]}])", code, re.M)]
    found: list[ast.stmt] = []
    for start, end in zip(starts, [*starts[1:], len(code)], strict=True):
        block, line = code[start:end], code.count("\n", 0, start)
        try:
            parsed = ast.parse("\n" * line + block).body
        except (SyntaxError, ValueError):
            named = re.match(r"(?:async\s+)?(?:def|class)\s+(\w+)", block)
            if named:
                program.problems[named.group(1)] = _syntax(block, whole)
            continue
        found += parsed
    return found


def _with_given(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
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


def _syntax(block: str, error: SyntaxError) -> str:
    if re.search(r"^\s*print\s+[\"'\w]", block, re.M):
        return "it is Python 2 (`print` without brackets); write print(...)"
    try:
        ast.parse(block)
    except SyntaxError as own:
        return f"line {own.lineno} of it is no Python: {own.msg}"
    return f"line {error.lineno} is no Python: {error.msg}"


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
        statements += [ast.increment_lineno(one, offset) for one in _statements(cell, program)]
        program.cells.append(offset)
        offset += cell.count("\n") + 1
    statements = list(_with_given(statements))
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
    statements = _attach(statements, program)
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


def _attach(statements: list[ast.stmt], program: Program) -> list[ast.stmt]:
    """Put functions that the file makes methods into their class, and return the other statements.

    `Layer.forward = forward`, `@add_to_class(Layer)` as in Dive into Deep Learning, and fastai's `@patch`.
    """
    left: list[ast.stmt] = []
    for one in statements:
        owner, name, method = _method_of(one, program)
        if owner is None or method is None:
            left.append(one)
            continue
        for argument in method.args.args[:1]:
            argument.annotation = None  # the class itself, which is not there yet inside its own body
        owner.body.append(ast.FunctionDef(**{**vars(method), "name": name, "decorator_list": []}))
        program.trees.pop(method.name, None)
    return left


def _method_of(statement: ast.stmt, program: Program) -> tuple[ast.ClassDef | None, str, ast.FunctionDef | None]:
    """The class that a statement gives a method, the method's name, and its code."""
    owner: Any = None
    name, method = "", None
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name):
        target, method = statement.targets[0], program.functions.get(statement.value.id)
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            owner, name = program.trees.get(target.value.id), target.attr
    elif isinstance(statement, ast.FunctionDef):
        name, method = statement.name, statement
        for one in statement.decorator_list:
            if isinstance(one, ast.Call) and ast.unparse(one.func).endswith("add_to_class") and one.args:
                owner = program.trees.get(ast.unparse(one.args[0]))
            elif ast.unparse(one).split(".")[-1] == "patch" and statement.args.args:
                note = statement.args.args[0].annotation
                owner = program.trees.get(ast.unparse(note)) if note is not None else None
    return owner if isinstance(owner, ast.ClassDef) else None, name, method


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
