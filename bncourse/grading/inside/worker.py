"""The untrusted compartment: it runs a student's cells, answers calls, and knows no test and no expected value.

Whatever a cell does to this process, it can only change the values that this process returns, as any
other program in the cell could. It has no verdict to forge.
"""

import __future__

import ast
import builtins
import contextlib
import inspect
import linecache
import os
import random
import sys
import traceback
import types
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.linalg
import numpy.random

from . import shell as shells
from .pipe import Channel
from .wire import Decoder, Encoder, Handle, Parts, Tensor, WireError

PLAIN_KINDS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
MAX_ITEMS = 10_000
MAX_MESSAGE = 2_000


class Worker(Decoder):
    """Answers the oracle's requests, one after the other, until the connection closes."""

    trusted = True

    def __init__(self, descriptor: int) -> None:
        self.channel = Channel(descriptor)
        self.kept: dict[int, Any] = {}
        self.numbers = 0
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.space = vars(module)
        self.space["__builtins__"] = builtins
        self.flags = 0
        self.output = shells.CappedText()
        self.shell = shells.Shell(lambda code: exec(code, self.space))  # noqa: S102  (a student's cell, in the sandbox)
        shells.install(self.shell, self.space)
        self.encoder = Encoder(self.leave)

    def serve(self) -> None:
        """Answer until the other side goes away."""
        sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123  (lives as long as the process)
        sys.stdout = sys.stderr = self.output
        while True:
            self.reply(self.channel.receive())

    def reply(self, request: bytes) -> None:
        """Run one request and send what came of it."""
        try:
            operation, *arguments = self.decode(request)
            data = self.encoder.encode(getattr(self, f"do_{operation}")(*arguments))
        except WireError as error:
            data = Encoder().encode(("refused", str(error)))
        except BaseException as error:
            data = Encoder().encode(("raised", *describe(error), ()))
        self.channel.send(data)

    # --- what crosses ---

    def leave(self, value: Any) -> Any:
        """Say how a value that is not plain leaves: as its plain base, as parts, or as a handle."""
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            plain = value.detach().cpu()
            plain = plain.float() if plain.dtype == torch.bfloat16 else plain
            number = self.keep(value) if value.requires_grad else 0
            return Tensor(number, str(value.dtype), bool(value.requires_grad), plain.numpy())
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufcUS":
            return np.array(value, subok=False)
        fields = getattr(type(value), "_fields", None)
        if isinstance(value, tuple) and isinstance(fields, tuple) and all(type(f) is str for f in fields):
            return Parts(self.keep(type(value)), type(value).__name__[:100], fields, tuple(tuple.__iter__(value)))
        for base in (dict, list, tuple):
            if isinstance(value, base):
                return Parts(self.keep(value), f"={base.__name__}", ("value",), (base(value),))
        kind = "class" if isinstance(value, type) else "function" if isinstance(value, PLAIN_KINDS) else "object"
        if kind == "object" and callable(value):
            kind = "callable"
        name = getattr(value, "__name__", "") if kind in ("class", "function") else type(value).__name__
        return Handle(self.keep(value), kind, str(name)[:100])

    def keep(self, value: Any) -> int:
        """Keep a value under a number."""
        self.numbers += 1
        self.kept[self.numbers] = value
        return self.numbers

    def handle(self, number: int, kind: str, name: str) -> Any:
        """Find what a handle stands for, or make a function that asks the other side."""
        if kind == "callback":
            return lambda *args, **kwargs: self.ask(number, args, kwargs)
        return self.kept[number]

    def parts(self, number: int, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
        """Build a named tuple of the class it came from."""
        made = self.kept.get(number)
        return tuple.__new__(made, values) if made is not None else super().parts(0, name, fields, values)

    def tensor(self, number: int, dtype: str, wants_grad: bool, array: Any) -> Any:
        """Find the original of a tensor, or make a new one."""
        import torch

        if number in self.kept:
            return self.kept[number]
        return torch.from_numpy(array).to(getattr(torch, dtype.removeprefix("torch."))).requires_grad_(wants_grad)

    def ask(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the other side."""
        self.channel.send(self.encoder.encode(("callback", number, args, kwargs)))
        kind, value = self.decode(self.channel.receive())
        if kind == "raised":
            raise RuntimeError(value)
        return value

    # --- requests ---

    def do_run(self, cell: str, source: str, given: bool, skip: list[int], seed: int) -> Any:
        """Run a cell statement by statement, so that a failing one costs only itself."""
        filename = f"<{cell}>"
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002  (what students' code uses)
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(seed)
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        self.shell.ignored = []
        self.output.take()  # what calls from tests printed belongs to no cell, and may tell of hidden tests
        problems: list[tuple[int, str, str]] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statements = list(parse(source, problems))
        for index, statement in enumerate(statements):
            if index in skip or (given and foreign(statement)):
                continue
            self.channel.send(Encoder().encode(("at", index, statement.lineno)))
            try:
                self.execute(statement, filename, last=index == len(statements) - 1)
            except BaseException as error:
                names, message, _, line = describe(error)
                problems.append((line or statement.lineno, names[0], message))
        pictures: list[bytes] = []
        with contextlib.suppress(BaseException):
            pictures = shells.figures()
        return "ran", problems, self.output.take(), pictures, sorted(set(self.shell.ignored))

    def execute(self, statement: ast.stmt, filename: str, *, last: bool) -> None:
        """Run one statement; show the value of a last expression as a notebook does."""
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                self.flags |= getattr(getattr(__future__, alias.name), "compiler_flag", 0)
        if last and isinstance(statement, ast.Expr):
            code = compile(ast.Expression(statement.value), filename, "eval", self.flags, dont_inherit=True)
            value = eval(code, self.space)  # noqa: S307  (a student's cell, in the sandbox)
            if value is not None:
                self.output.write(f"{value!r}\n")
        else:
            module = ast.Module([statement], type_ignores=[])
            exec(compile(module, filename, "exec", self.flags, dont_inherit=True), self.space)  # noqa: S102

    def do_get(self, name: str) -> Any:
        """Look a global name up."""
        return ("value", self.space[name], ()) if name in self.space else ("missing",)

    def do_call(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call something; say also which array arguments it changed in place."""
        before = list(arrays(args, kwargs))
        marks = [mark(array) for _, array in before]
        try:
            value = target(*args, **kwargs)
        except BaseException as error:
            return "raised", *describe(error), ()
        changed = [label for (label, array), old in zip(before, marks, strict=True) if mark(array) != old]
        return "value", value, tuple(named(target, changed)) if changed else ()

    def do_attribute(self, target: Any, name: str) -> Any:
        """Get an attribute."""
        return "value", getattr(target, name), ()

    def do_set(self, target: Any, name: str, value: Any) -> Any:
        """Set an attribute."""
        setattr(target, name, value)
        return "value", None, ()

    def do_item(self, target: Any, key: Any) -> Any:
        """Get an item."""
        return "value", target[key], ()

    def do_put(self, target: Any, key: Any, value: Any) -> Any:
        """Set an item."""
        target[key] = value
        return "value", None, ()

    def do_length(self, target: Any) -> Any:
        """Take the length."""
        return "value", len(target), ()

    def do_items(self, target: Any) -> Any:
        """Iterate over something, not for ever."""
        return "value", [value for value, _ in zip(target, range(MAX_ITEMS), strict=False)], ()

    def do_instance(self, target: Any, kind: Any) -> Any:
        """Say whether one value is an instance of another."""
        return "value", bool(isinstance(target, kind)), ()

    def do_free(self, numbers: list[int]) -> Any:
        """Forget values that the other side has let go."""
        for number in numbers:
            self.kept.pop(number, None)
        return "value", None, ()


def parse(source: str, problems: list[tuple[int, str, str]]) -> Iterator[ast.stmt]:
    """Parse a cell; where it does not parse, keep the top-level blocks that do."""
    for text in (source, source.expandtabs(8)):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            yield from ast.parse(text).body
            return
    block: list[str] = []
    start = 0
    lines = [*source.expandtabs(8).splitlines(), ""]
    for number, line in enumerate([*lines, "end"]):
        if line[:1] in ("", " ", "#", ")", "]", "}") or not block:
            if block or line.strip():
                start = start if block else number
                block.append(line)
            continue
        if line.split(" ")[0].rstrip(":") in ("else", "elif", "except", "finally") or block[-1].startswith("@"):
            block.append(line)
            continue
        try:
            tree = ast.parse("\n" * start + "\n".join(block))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problems.append((getattr(error, "lineno", None) or start + 1, type(error).__name__, str(error)[:200]))
        else:
            yield from tree.body
        block, start = [line], number


def foreign(statement: ast.stmt) -> bool:
    """Whether a given cell's statement imports the reference package, which does not exist here."""
    if isinstance(statement, ast.ImportFrom):
        return (statement.module or "").split(".")[0] == "bncourse"
    return isinstance(statement, ast.Import) and any(a.name.split(".")[0] == "bncourse" for a in statement.names)


def describe(error: BaseException) -> tuple[list[str], str, str, int]:
    """Return an exception's class names, its message, and the cell and line where it arose."""
    names = [kind.__name__ for kind in type(error).__mro__][:20]
    try:
        message = str(error)[:MAX_MESSAGE]
    except BaseException:
        message = ""
    cell, line = "", 0
    for frame in traceback.extract_tb(error.__traceback__, limit=-50):
        if frame.filename.startswith("<") and frame.filename in linecache.cache:
            cell, line = frame.filename[1:-1], frame.lineno or 0
    return names, message, cell, line


def arrays(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[int | str, Any]]:
    """Yield the array arguments with their positions or keywords."""
    labeled: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
    for label, value in labeled:
        if type(value) is np.ndarray:
            yield label, value


def mark(array: Any) -> int:
    """Return a short number that changes with an array's contents."""
    return zlib.crc32(array.tobytes())


def named(target: Any, labels: list[int | str]) -> list[str]:
    """Turn positions into parameter names where the signature tells them."""
    try:
        names = list(inspect.signature(target).parameters)
    except (TypeError, ValueError):
        names = []
    return [names[label] if isinstance(label, int) and label < len(names) else str(label) for label in labels]
