"""A decoded value in; nothing out, or a refusal where an array of its texts would take too much memory."""

from typing import Any

import numpy as np

from .wire_types import WireError

MAX_TEXT = 16 * 2**20
"""Bytes that an array of the texts in a message would take, in which every text has the room of the longest."""
NUMBER_LENGTH = 32
"""Characters that a number takes in an array of texts."""


def check_texts(value: Any, depth: int) -> None:
    """Refuse texts that would make a large array: in one of them every text has the room of the longest.

    Parameters
    ----------
    value : object
    depth : int
        How deep containers are looked into.

    Raises
    ------
    WireError
    """
    _count_and_longest(value, depth)


def _count_and_longest(value: Any, depth: int) -> tuple[int, int]:
    """Count the parts of a value and the letters of its longest text; refuse what would make a large array."""
    if type(value) in (str, bytes):
        return 1, max(len(value), NUMBER_LENGTH)
    if type(value) is np.ndarray:
        return value.size, value.dtype.itemsize // 4 if value.dtype.kind in "US" else 0
    if isinstance(value, np.str_ | np.bytes_):
        return 1, len(value)
    if not isinstance(value, list | tuple | set | dict) or depth < 0:
        return 1, 0
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    found = [_count_and_longest(part, depth - 1) for part in parts]
    count, longest = sum(count for count, _ in found), max((length for _, length in found), default=0)
    if 4 * count * longest > MAX_TEXT:
        raise WireError("the value holds texts that would take too much memory together")
    return count, longest
