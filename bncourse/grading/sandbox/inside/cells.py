"""A cell, an exception or a call's arguments in; what the worker reports of it out."""

import ast
import contextlib
import inspect
import linecache
import traceback
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

MAX_MESSAGE = 2_000


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
            tree = ast.increment_lineno(ast.parse("\n".join(block)), start)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problems.append((start + (getattr(error, "lineno", None) or 1), type(error).__name__, str(error)[:200]))
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
    for frame, number in deque(traceback.walk_tb(error.__traceback__), maxlen=50):
        filename = frame.f_code.co_filename
        if filename.startswith("<") and filename in linecache.cache:
            cell, line = filename[1:-1], number
    return names, message, cell, line


def arrays(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[int | str, Any]]:
    """Yield the array arguments with their positions or keywords."""
    labeled: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
    for label, value in labeled:
        if type(value) is np.ndarray:
            yield label, value


def mark(array: Any) -> bytes | int:
    """Return what changes with an array's contents: of a small one they themselves, of a large one a number."""
    data = array.tobytes()
    return data if len(data) < 1 << 16 else zlib.crc32(data)


def named(target: Any, labels: list[int | str]) -> list[str]:
    """Turn positions into parameter names where the signature tells them."""
    try:
        names = list(inspect.signature(target).parameters)
    except (TypeError, ValueError):
        names = []
    return [names[label] if isinstance(label, int) and label < len(names) else str(label) for label in labels]
