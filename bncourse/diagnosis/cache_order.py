"""Entries of the cache that changed places between a forward and a backward pass: exchange two, and see."""

import copy
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from itertools import combinations
from typing import Any

from bncourse.diagnosis import call
from bncourse.diagnosis.trials import Trial

MOST = 14
"""Entries of a cache that is tried; a longer one is left alone."""


def _keys(cache: Any) -> list[Any]:
    """Where the entries of a cache lie: positions, keys or names; none where that is not known."""
    if isinstance(cache, (tuple, list)):
        return list(range(len(cache)))
    if isinstance(cache, Mapping):
        return list(cache)
    if callable(cache) or type(cache).__name__ == "Handle":
        return []
    names = [*getattr(cache, "__dict__", ())]
    for kind in type(cache).__mro__:
        slots = vars(kind).get("__slots__", ())
        names += [slots] if isinstance(slots, str) else [*slots]
    return [name for name in dict.fromkeys(names) if hasattr(cache, name)]


def _entry(cache: Any, key: Any) -> Any:
    return cache[key] if isinstance(cache, (tuple, list, Mapping)) else getattr(cache, key)


def _exchanged(cache: Any, one: Any, other: Any) -> Any:
    """The same cache with two entries in each other's place."""
    first, second = _entry(cache, one), _entry(cache, other)
    if isinstance(cache, (tuple, list)):
        entries = list(cache)
        entries[one], entries[other] = second, first
        return type(cache)(*entries) if hasattr(cache, "_fields") else type(cache)(entries)
    turned = copy.copy(cache)
    if isinstance(cache, Mapping):
        turned[one], turned[other] = second, first
    else:
        object.__setattr__(turned, one, second)
        object.__setattr__(turned, other, first)
    return turned


def _held(cache: Any) -> Any:
    """What the student's forward pass returned; an adapter keeps it as `rest`."""
    return cache.rest if is_dataclass(cache) and hasattr(cache, "rest") else cache


def exchange(trial: Trial, parts: tuple[str, ...]) -> bool:
    """Whether these gradients are right as soon as two entries of the cache change places."""
    try:
        held = _held(trial.cache())
    except call.Slip:
        return False
    keys = _keys(held)
    if not 2 <= len(keys) <= MOST or type(_entry(held, keys[0])).__name__ == "Handle":
        return False
    return any(
        all(_right_exchanged(one, pair, parts) for one in (trial, *trial.fresh())) for pair in combinations(keys, 2)
    )


def _right_exchanged(trial: Trial, pair: tuple[Any, Any], parts: tuple[str, ...]) -> bool:
    try:
        cache = trial.cache()
        held = _held(cache)
        if not set(pair) <= set(_keys(held)):
            return False
        turned = _exchanged(held, *pair)
        given = turned if held is cache else replace(cache, rest=turned)
        found = call.gradients(trial.run(trial.probe.dy, given), "dx", [])
        for part in parts:
            value = trial.read(found[part], part)
            if trial.error(value.array, trial.expected.gradients[part], part) > trial.allowed(value.dtype):
                return False
    except (call.Slip, call.EngineError):
        return False
    except (AttributeError, TypeError):  # a cache of a kind that cannot be copied or written
        return False
    return True
