"""An exception or a call's arguments in; what the worker reports of it out."""

import inspect
import linecache
import traceback
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

MAX_MESSAGE = 2_000


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
