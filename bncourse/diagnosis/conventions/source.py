"""A student's file, and of it the functions that normalize: what is needed is run, nothing else.

Only definitions, and the imports and assignments that they need, are executed, one by one: a line that trains, draws or
loads data is not. A module that is not installed is replaced by one that says so when it is used.
"""

import ast
import builtins
import contextlib
import importlib
import importlib.util
import io
import json
import linecache
import re
import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bncourse.diagnosis.conventions.names import kind_of


class UnreadableError(ValueError):
    """The file holds no Python that could be looked at; the message says why and what to do."""


class NotHereError(ImportError):
    """Code needs a module that is not installed here."""


class _NotHere:
    """In the place of a module that is not installed: silent until it is called."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return _NotHere(f"{self._name}.{attribute}")

    def __getitem__(self, key: Any) -> Any:
        return self

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        raise NotHereError(_not_here(self._name))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise NotHereError(_not_here(self._name))

    def __bool__(self) -> bool:
        return False


def _not_here(name: str) -> str:
    module = name.split(".")[0]
    if re.search(r"cython|fast_layers|im2col|_ext$|cuda|_C$", name):
        return f"it needs {name}, a compiled extension of its course that is not here; build it and run this beside it"
    if module in ("torch", "tensorflow", "jax", "keras", "flax", "mxnet", "cupy", "numba", "scipy", "autograd"):
        return f"it needs {module}, which is not installed here"
    return f"it needs {name}, which is not here; put that file beside this one"


class _OldNumPy(types.ModuleType):
    """NumPy with the names that older code uses and newer versions have removed."""

    def __getattr__(self, name: str) -> Any:
        import numpy as np

        old = {"float": float, "int": int, "bool": bool, "object": object, "complex": complex, "product": np.prod}
        old |= {"float_": np.float64, "Inf": np.inf, "infty": np.inf, "NaN": np.nan, "alltrue": np.all}
        if name in old and not hasattr(np, name):
            return old[name]
        return getattr(np, name)


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
    return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]


def _used(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


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
        offset += cell.count("\n") + 1
    joined = "\n".join(cells)
    linecache.cache[label] = (len(joined), None, [f"{line}\n" for line in joined.splitlines()], label)
    if not statements and joined.strip() and not any(kind_of(name) for name in program.problems):
        raise UnreadableError(f"{name} holds no Python that can be read. Expected a .py file or a notebook.")
    for one in statements:
        if isinstance(one, (ast.FunctionDef, ast.ClassDef)):
            program.trees[one.name] = one
    needed = {tree.name for tree in program.trees.values() if wanted(tree)}
    while True:
        more = {name for one in statements if needed & set(_bound(one)) for name in _used(one)} | needed
        if more == needed:
            break
        needed = more
    program.namespace |= {"__name__": "student", "__file__": name, "__builtins__": builtins, "xrange": range}
    for one in statements:
        if _is_star(one) or needed & set(_bound(one)):
            _run(one, program, label)
    return program


def _is_star(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"


def _run(statement: ast.stmt, program: Program, label: str) -> None:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        _import(statement, program)
        return
    try:
        with _silence():
            try:
                exec(compile(ast.Module([statement], []), label, "exec"), program.namespace)
            except NotHereError:
                if not isinstance(statement, ast.FunctionDef) or not statement.decorator_list:
                    raise
                statement.decorator_list = []  # a compiler that is not here: the function is the same without it
                exec(compile(ast.Module([statement], []), label, "exec"), program.namespace)
    except NotHereError as error:
        for name in _bound(statement):
            program.problems[name] = str(error)
    except (Exception, SystemExit) as error:
        for name in _bound(statement):
            program.problems[name] = f"its definition raised {type(error).__name__}: {error}"


def _import(statement: ast.Import | ast.ImportFrom, program: Program) -> None:
    """Bind what an import binds; modules that are not here are replaced."""
    namespace = program.namespace
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            module = _module(alias.name, program.folder)
            namespace[alias.asname or alias.name.split(".")[0]] = (
                module if alias.asname or "." not in alias.name else _module(alias.name.split(".")[0], program.folder)
            )
        return
    source = "." * statement.level + (statement.module or "")
    module = _module(source, program.folder)
    for alias in statement.names:
        if alias.name == "*":
            if not isinstance(module, _NotHere):
                public = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
                namespace.update({name: getattr(module, name) for name in public})
        elif isinstance(module, _NotHere) or hasattr(module, alias.name):
            namespace[alias.asname or alias.name] = getattr(module, alias.name)
        else:
            namespace[alias.asname or alias.name] = _module(f"{source}.{alias.name}", program.folder)


def _module(name: str, folder: str | None = None) -> Any:
    """Import a module that is installed, or else one that lies beside the file."""
    if not name.startswith("."):
        try:
            with _silence():
                module = importlib.import_module(name)
            return _OldNumPy("numpy") if name == "numpy" else module
        except Exception:
            if folder is None:
                return _NotHere(name)
    wanted = name.lstrip(".")
    for tail in (wanted, wanted.rsplit(".", 1)[-1]):  # a package's folders are often flattened when a file is handed in
        beside = Path(folder or "", *tail.split(".")).with_suffix(".py")
        if folder and tail and beside.is_file():
            return _beside(tail, beside)
    return _NotHere(wanted or "a file beside it")


def _beside(name: str, path: Path) -> Any:
    """Run a module that lies beside the file, with its folder on the path."""
    spec = importlib.util.spec_from_file_location(f"student_{name}", path)
    if spec is None or spec.loader is None:
        return _NotHere(name)
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(path.parent))
    try:
        with _silence():
            spec.loader.exec_module(module)
    except (Exception, SystemExit):
        return _NotHere(name)
    finally:
        sys.path.remove(str(path.parent))
    return module


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
