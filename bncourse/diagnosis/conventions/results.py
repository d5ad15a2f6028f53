"""Where the cache and the moved statistics stand among the results of a function."""

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import is_torchs, tensor, to_numpy
from bncourse.diagnosis.conventions.bundles import Path, follow
from bncourse.diagnosis.conventions.names import role_of
from bncourse.diagnosis.conventions.syntax import returned_names

STATED = ("running_mean", "running_var")


def cache_at(tree: ast.AST, rest: list[Any]) -> int | None:
    """Where the cache stands among several results: by its name, or as the only one that is no array."""
    names = returned_names(tree)[1:]
    called = [at for at, name in enumerate(names) if role_of(name, ("cache",))] if len(names) == len(rest) else []
    packed = [at for at, one in enumerate(rest) if isinstance(one, (tuple, list, dict))]
    found = called or packed
    return found[0] + 1 if len(rest) > 1 and len(found) == 1 else None


def by_name(tree: ast.AST, rest: list[Any]) -> list[Path]:
    """Where the moved mean and variance stand in what came back beside y, if their names say so."""
    names = returned_names(tree)[1:]
    named = {role_of(name, STATED): (position,) for position, name in enumerate(names)}
    return [named[role] for role in STATED] if len(names) == len(rest) and named.keys() >= set(STATED) else []


def of_size(rest: list[Any], size: int) -> list[Path]:
    """Where the only two results stand that hold one number a channel."""
    fits: list[Path] = [(position,) for position, one in enumerate(rest) if _size(one) == size]
    return fits if len(fits) == 2 else []


def ways_to(rest: list[Any], size: int) -> list[Path]:
    """Every way to one number a channel, also inside of results that hold two things."""
    return [way for way in _ways(rest) if _size(follow(rest, way)) == size]


def follower(ways: list[Path], given: dict[str, Any], role: str, call: Callable[[dict[str, Any]], Any]) -> Path:
    """Which result moves with a statistic; () where that is none, or more than one.

    Parameters
    ----------
    ways : list of Path
        Where it may stand in what comes back beside y.
    given : dict
        What the function was given, role by role.
    role : str
        "running_mean" or "running_var".
    call : callable
        Calls the function.
    """
    results = []
    for more in (0.0, 1.0):
        again = {name: one for name, one in given.items() if name != "settings"}
        for name in ("x", "gamma", "beta", *STATED):
            array = np.array(to_numpy(given[name])) + more * (name == role)
            again[name] = tensor(array).detach() if is_torchs(given[name]) else array
        results.append(list(call(again))[1:])
    first, second = results
    changed = [way for way in ways if not np.array_equal(to_numpy(follow(first, way)), to_numpy(follow(second, way)))]
    return changed[0] if len(changed) == 1 else ()


def _ways(rest: list[Any]) -> list[Path]:
    """The ways to every result, and to what lies in a dict or a tuple of two of them."""
    found: list[Path] = []
    for at, one in enumerate(rest):
        inner = list(one) if isinstance(one, dict) else list(range(len(one))) if isinstance(one, (tuple, list)) else []
        found += [(at, step) for step in inner] if len(inner) == 2 else [(at,)]
    return found


def _size(value: Any) -> int:
    try:
        return int(np.size(to_numpy(value))) if not isinstance(value, (tuple, list, dict)) else -1
    except Exception:
        return -1
