"""What was seen of calls in; what counts most of it out. It loads nothing, so the grader's own process can use it."""

from collections.abc import Collection
from typing import Any


def worst(seen: Collection[Any]) -> str:
    """What counts most of what was seen of a call; empty where nothing was.

    >>> worst(["unseen", "differences"])
    'differences'
    """
    return next((how for how in ("complex", "differences", "arithmetic", "unseen") if how in seen), "")
