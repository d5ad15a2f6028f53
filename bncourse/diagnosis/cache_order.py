"""Entries of the cache that changed places between a forward and a backward pass: exchange two, and see."""

from dataclasses import is_dataclass, replace
from itertools import combinations
from typing import Any

from bncourse.diagnosis import call
from bncourse.diagnosis.trials import Trial


def _entries(cache: Any) -> list[Any] | None:
    """Entries of a cache that is a tuple or a list, or holds one as `rest`."""
    held = getattr(cache, "rest", cache)
    if isinstance(held, (tuple, list)) and 2 <= len(held) <= 14:
        return list(held)
    return None


def _with_entries(cache: Any, entries: list[Any]) -> Any:
    if is_dataclass(cache) and not isinstance(cache, type):
        return replace(cache, rest=_packed(getattr(cache, "rest", None), entries))
    return _packed(cache, entries)


def _packed(like: Any, entries: list[Any]) -> Any:
    return type(like)(*entries) if hasattr(like, "_fields") else type(like)(entries)


def exchange(trial: Trial, parts: tuple[str, ...]) -> bool:
    """Whether these gradients are right as soon as two entries of the cache change places."""
    try:
        entries = _entries(trial.cache())
        if entries is None or type(entries[0]).__name__ == "Handle":
            return False
        return any(
            all(_right_exchanged(one, pair, parts) for one in (trial, *trial.fresh()))
            for pair in combinations(range(len(entries)), 2)
        )
    except call.Slip:
        return False


def _right_exchanged(trial: Trial, pair: tuple[int, int], parts: tuple[str, ...]) -> bool:
    try:
        cache = trial.cache()
        entries = _entries(cache)
        if entries is None or max(pair) >= len(entries):
            return False
        entries[pair[0]], entries[pair[1]] = entries[pair[1]], entries[pair[0]]
        found = call.gradients(trial.run(trial.probe.dy, _with_entries(cache, entries)), "dx", [])
        for part in parts:
            value = trial.read(found[part], part)
            if trial.error(value.array, trial.expected.gradients[part], part) > trial.allowed(value.dtype):
                return False
    except call.Slip:
        return False
    return True
