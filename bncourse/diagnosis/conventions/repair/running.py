"""Run a student's functions with a change in them, and count what they do, so that no change runs without an end."""

import ast
import copy
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType
from typing import Any

from bncourse.diagnosis.conventions.repair.values import Scope
from bncourse.diagnosis.conventions.source import Program

Key = tuple[str, int]
"""Name and first line of a function of the file."""


class TooLongError(BaseException):
    """A change that makes the code run on and on."""


class Counter:
    """Counts calls, and lines of the student's file, and ends what does too many."""

    def __init__(self, program: Program) -> None:
        self.label = program.label
        self.count, self.most = 0, sys.maxsize
        self.lines: set[int] | None = None
        self.scopes: dict[Key, Scope] = {}
        self.order: list[Key] = []
        """Functions of the file in the order in which they ran first."""
        self.ran: set[Key] = set()

    def _global(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.count += 1
        if frame.f_code.co_filename != self.label:
            return None
        key = frame.f_code.co_name, frame.f_code.co_firstlineno
        if self.lines is not None:
            self.ran.add(key)
            if key not in self.order:
                self.order.append(key)
        return self._local

    def _local(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.count += 1
        if self.count > self.most:
            raise TooLongError
        if self.lines is not None:
            self.lines.add(frame.f_lineno)
            if event == "return":
                scope = self.scopes.get((frame.f_code.co_name, frame.f_code.co_firstlineno))
                if scope is not None:
                    sys.settrace(None)
                    scope.see(dict(frame.f_locals), frame.f_globals)
                    sys.settrace(self._global)
        return self._local

    def watched(self, run: Callable[[], Any]) -> tuple[Any, set[Key]]:
        """What a call gives, and which functions of the file ran in it."""
        before, self.ran = self.ran, set()
        try:
            return run(), set(self.ran)
        finally:
            self.ran |= before

    @contextmanager
    def counting(self, most: int = sys.maxsize) -> Iterator[None]:
        """Count for a while, and raise TooLongError after so many more."""
        before, self.most = sys.gettrace(), self.count + most
        sys.settrace(self._global)
        try:
            yield
        finally:
            sys.settrace(before)


class Written:
    """One function of the file: its tree, and the objects that run its code.

    Parameters
    ----------
    tree : FunctionDef
        Of the function or method.
    owner : str
        Name of its class, or "".
    functions : list of function
        What runs the code; another code is put into these.
    """

    def __init__(self, tree: ast.FunctionDef, owner: str, functions: list[FunctionType], label: str) -> None:
        self.tree, self.owner, self.functions, self.label = tree, owner, functions, label
        self.key = tree.name, _first_line(tree)

    def compiled(self) -> CodeType | None:
        """Compile the code of the tree as it stands."""
        tree = copy.copy(self.tree)
        tree.decorator_list, tree.returns = [], None
        tree.args = _without_defaults(tree.args)
        free = self.functions[0].__code__.co_freevars
        body: ast.stmt = tree
        names = [ast.copy_location(ast.arg(name), tree) for name in free if name != "__class__"]
        if self.owner:
            body = ast.copy_location(ast.ClassDef(self.owner, [], [], [tree], []), tree)
        if names:
            arguments = ast.arguments([], names, None, [], [], None, [])
            body = ast.copy_location(ast.FunctionDef("_", arguments, [body], [], None), tree)
        try:
            code = compile(ast.Module([body], []), self.label, "exec")
        except (SyntaxError, ValueError, TypeError, RecursionError):
            return None
        found = _code_named(code, tree.name, tree.lineno)
        return found.replace(co_firstlineno=self.key[1]) if found is not None else None

    @contextmanager
    def running(self, code: CodeType) -> Iterator[None]:
        """Let the functions run another code for a while.

        Raises
        ------
        ValueError
            If it reads other names of the function around it.
        """
        before = [one.__code__ for one in self.functions]
        try:
            for one in self.functions:
                one.__code__ = code
            yield
        finally:
            for one, old in zip(self.functions, before, strict=True):
                one.__code__ = old


def _without_defaults(arguments: ast.arguments) -> ast.arguments:
    """The same parameters; the function's object keeps its defaults, and its annotations say nothing."""
    new = copy.copy(arguments)
    new.defaults, new.kw_defaults = [], [None] * len(new.kwonlyargs)
    return new


def _first_line(tree: ast.FunctionDef) -> int:
    return min([tree.lineno, *(one.lineno for one in tree.decorator_list)])


def _code_named(code: CodeType, name: str, line: int) -> CodeType | None:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_name == name and one.co_firstlineno == line:
                return one
            inner = _code_named(one, name, line)
            if inner is not None:
                return inner
    return None


def written_functions(program: Program, text: list[str]) -> list[Written]:
    """Every function and method of a file that a change can be made in.

    Parameters
    ----------
    program : Program
        The file.
    text : list of str
        Its lines; what does not stand in it is the course's own and is left alone.
    """
    objects = _objects(program)
    found = []
    for tree in program.trees.values():
        parts = tree.body if isinstance(tree, ast.ClassDef) else [tree]
        for part in parts:
            if not isinstance(part, ast.FunctionDef):
                continue
            held = objects.get((part.name, _first_line(part)), [])
            stands = part.lineno <= len(text) and f"def {part.name}" in text[part.lineno - 1]
            if held and stands:
                owner = tree.name if isinstance(tree, ast.ClassDef) else ""
                found.append(Written(part, owner, held, program.label))
    return found


def _objects(program: Program) -> dict[tuple[str, int], list[FunctionType]]:
    """The function objects of a file, by the name and the first line of their code."""
    found: dict[tuple[str, int], list[FunctionType]] = {}
    seen: set[int] = set()
    todo: list[Any] = list(program.namespace.values())
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, staticmethod | classmethod):
            todo.append(value.__func__)
        elif isinstance(value, property):
            todo += [one for one in (value.fget, value.fset) if one is not None]
        elif inspect.isclass(value):
            todo += [*vars(value).values(), *(one for one in value.__mro__ if one.__module__ == "student")]
        elif isinstance(value, FunctionType):
            if value.__code__.co_filename == program.label:
                found.setdefault((value.__code__.co_name, value.__code__.co_firstlineno), []).append(value)
            todo += [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
            todo.append(getattr(value, "__wrapped__", None))
    return found


def _is_filled(cell: Any) -> bool:
    try:
        return callable(cell.cell_contents) or inspect.isclass(cell.cell_contents)
    except ValueError:
        return False
