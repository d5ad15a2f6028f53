"""What the parameters of a function hold, where these are dicts, tuples or objects of gamma, beta and statistics.

A functional style, as in JAX: `batchnorm(params, state, x, train)` reads `params["gamma"]` and `state["mean"]` and
returns `(y, new_state)`. What a parameter holds is read from how the function uses it.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any

from bncourse.diagnosis.conventions.names import BACKWARD, ROLES, plain, role_of
from bncourse.diagnosis.conventions.reach import reached
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import parameters_of

HELD = ("running_mean", "running_var", "gamma", "beta", "eps", "momentum", "train", "eval", "mode")
"""What a bundle may hold."""
STATISTICS = {"mean": "running_mean", "var": "running_var"}
COUNTS = ("count", "step", "steps", "t", "numbatches", "numbatchestracked", "batches", "updates", "counter", "n")

OF_ARRAYS = (".T", ".shape", ".size", ".ndim", ".dtype", ".device")
"""Attributes that every array has."""

Path = tuple[Any, ...]
"""The way into a bundle: a string is a key, a number a place in a tuple, and `.name` an attribute."""
LAYER = "1"
"""The layer of a network whose parameters lie in one dict, under `"gamma" + str(layer)`."""
Place = tuple[str, Path]
"""A parameter, and the way into it."""


def bundles(tree: ast.AST, program: Program | None = None) -> dict[str, dict[Path, str]]:
    """What each parameter of a function holds: the ways into it, and the role of what lies there.

    A parameter that is only a cache or a dict of settings beside x, gamma and beta is none of these.
    """
    if not isinstance(tree, ast.FunctionDef):
        return {}
    names = parameters_of(tree)
    back, caches = bool(BACKWARD.search(tree.name)), set[str]()
    if back:
        names = [name for name in names if role_of(name, ("cache", "dy")) is None]
    found: dict[str, dict[Path, str]] = {}
    for one in reached(tree, program) if program is not None else [tree]:
        for (name, path), word in places_of(one, names):
            role = role_of(word, HELD) or STATISTICS.get(role_of(word, tuple(STATISTICS)) or "")
            role = role or ("count" if plain(word) in COUNTS else None)
            if role is not None:
                found.setdefault(name, {})[path] = role
            if back and role not in ("gamma", "beta", "eps"):
                caches.add(name)
    found = {name: _as_moments(held) for name, held in found.items() if name not in caches}
    roles = [role for held in found.values() for role in held.values() if role in ("gamma", "beta")]
    statistics = [name for name, held in found.items() if "running_mean" in held.values()]
    ours = bool(roles) or any(plain(name) not in ROLES["settings"] for name in statistics)
    return found if ours and len(set(roles)) == len(roles) else {}


def _as_moments(held: dict[Path, str]) -> dict[Path, str]:
    """Take an `m` beside a variance for a mean; elsewhere it is the momentum."""
    roles = set(held.values())
    if "running_var" not in roles or "running_mean" in roles:
        return held
    return {
        path: "running_mean" if role == "momentum" and str(path[-1]).lstrip(".") == "m" else role
        for path, role in held.items()
    }


def places_of(tree: ast.AST, names: list[str]) -> Iterator[tuple[Place, str]]:
    """Every way into a parameter that a function goes, and the word for what lies there."""
    known: dict[str, Place] = {name: (name, ()) for name in names}
    nodes = list(ast.walk(tree))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    other_names: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            for target, value in _pairs(node.targets[0], node.value):
                place = _place(value, known)
                if place is None:
                    continue
                if isinstance(target, ast.Name) and place[1]:
                    known.setdefault(target.id, place)
                    other_names[target.id] = id(value)
                elif isinstance(target, ast.Tuple) and not any(str(step).startswith(".") for step in place[1]):
                    words = [getattr(one, "id", "") for one in target.elts]
                    if all(role_of(word, (*HELD, *STATISTICS)) or plain(word) in COUNTS for word in words):
                        yield from (((place[0], (*place[1], at)), word) for at, word in enumerate(words))
    looked = [
        (node, place)
        for node in nodes
        if isinstance(node, (ast.Subscript, ast.Attribute, ast.Call))
        and id(node) not in called
        and (place := _place(node, known)) is not None
        and place[1]
        and place[1][-1] not in OF_ARRAYS
    ]
    outer = [node.func.value if isinstance(node, ast.Call) else node.value for node, _ in looked]  # type: ignore[attr-defined]
    on_the_way = {other_names.get(node.id) if isinstance(node, ast.Name) else id(node) for node in outer}
    for node, place in looked:
        if id(node) not in on_the_way and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            yield place, str(place[1][-1]).removeprefix(".").removesuffix(LAYER).removesuffix("_")


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, other)
    else:
        yield target, value


def _place(node: ast.expr | ast.AST, known: dict[str, Place]) -> Place | None:
    """Where an expression looks into a parameter."""
    inner: Place | None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    step: Any = None
    if isinstance(node, ast.Subscript):
        inner, step = _place(node.value, known), _key(node.slice)
    elif isinstance(node, ast.Attribute):
        inner, step = _place(node.value, known), f".{node.attr}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        inner, step = _place(node.func.value, known), _key(node.args[0])
    else:
        return None
    return (inner[0], (*inner[1], step)) if inner is not None and step is not None else None


def _key(node: ast.expr) -> str | None:
    """The key of a dict that an expression gives: a word, or one with the number of a layer."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    word = _numbered(node)
    return word[0] + LAYER if word else None


def _numbered(node: ast.expr) -> tuple[str, str] | None:
    """The word and the variable of `"gamma" + str(l)`, `f"gamma{l}"`, `"gamma%d" % l` and the like."""
    if isinstance(node, ast.JoinedStr) and len(node.values) == 2:
        start, end = node.values
        if isinstance(start, ast.Constant) and isinstance(end, ast.FormattedValue) and isinstance(end.value, ast.Name):
            return str(start.value), end.value.id
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
        names = [one.id for one in ast.walk(node.right) if isinstance(one, ast.Name) and one.id != "str"]
        if len(names) == 1 and isinstance(node.op, ast.Add | ast.Mod):
            return re.sub(r"%[ds]$", "", node.left.value), names[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        text = node.func.value
        if isinstance(text, ast.Constant) and len(node.args) == 1 and isinstance(node.args[0], ast.Name):
            return re.sub(r"\{0?\}$", "", str(text.value)), node.args[0].id
    return None


def layers_of(tree: ast.AST) -> set[str]:
    """Names of the variables that say of which layer the parameters are."""
    found = (_numbered(node) for node in ast.walk(tree) if isinstance(node, ast.BinOp | ast.JoinedStr | ast.Call))
    return {one[1] for one in found if one is not None}


def is_field(step: Any) -> bool:
    """Whether a step of a way is an attribute."""
    return isinstance(step, str) and step.startswith(".")


def text_of(start: str, path: Path) -> str:
    """Write a way into what an expression gives."""
    return start + "".join(
        step if is_field(step) else f"[{step}]" if isinstance(step, int) else f'["{step}"]' for step in path
    )


def follow(value: Any, path: Path) -> Any:
    """What lies at the end of a way, or None."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, (tuple, list)) and step < len(value) else None
        elif is_field(step):
            value = getattr(value, step[1:], None)
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
