"""What the names of a function held when it ran: an edit puts only a value of the same kind in the place of another."""

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.conventions.arrays import to_numpy

MOST = 40
"""Entries of a dict, or attributes of an object, that are looked at."""


class Kind(NamedTuple):
    """Of a value: what it is, and its shape."""

    what: str
    shape: tuple[int, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether one can calculate with it."""
        return self.what == "number"

    @property
    def is_bool(self) -> bool:
        """Whether it says yes or no."""
        return self.what == "bool"

    def takes(self, other: "Kind") -> bool:
        """Whether a product with another value has this shape."""
        try:
            return np.broadcast_shapes(self.shape, other.shape) == self.shape
        except ValueError:
            return False


def kind_of(value: Any) -> Kind | None:
    """Of a value of a student's; None where an edit has no use for it."""
    if isinstance(value, bool | np.bool_):
        return Kind("bool")
    if isinstance(value, int | float | np.number):
        return Kind("number")
    if isinstance(value, tuple) and value and all(type(one) is int and -4 <= one < 5 for one in value):
        return Kind("axes")
    try:
        array = to_numpy(value)
    except Exception:
        return None
    if isinstance(array, np.ndarray):
        return Kind("number", array.shape) if array.dtype.kind in "fiu" else None
    return None


class Scope:
    """The values that were at hand in one function."""

    def __init__(self, tree: ast.FunctionDef, modules: set[str], *, torch: bool) -> None:
        self.modules, self.torch = modules, torch
        self.kinds: dict[str, Kind] = {}
        stored = [one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
        self.stored = stored
        self.asked = _looked_into(tree)

    def assigned(self, name: str) -> int:
        """How often a local name is assigned."""
        return self.stored.count(name)

    def kind(self, text: str) -> Kind | None:
        """Of what an expression as short as a name holds."""
        return self.kinds.get(text)

    def values(self, but: str) -> Iterator[tuple[str, Kind]]:
        """Every value at hand, but one."""
        return ((name, kind) for name, kind in self.kinds.items() if name != but)

    def see(self, held: dict[str, Any], known: dict[str, Any]) -> None:
        """Learn what the names hold."""
        for name, value in held.items():
            self._see(name, value)
            for way, inner in _inside(value):
                if not isinstance(inner, dict | tuple | list):
                    self._see(f"{name}{way}", inner)
        for text, code in self.asked.items():
            if text not in self.kinds:
                try:
                    self._see(text, eval(code, known, dict(held)))  # a subscript, or an attribute of what is at hand
                except Exception:  # noqa: S112  (it is not there at the end of the function)
                    continue

    def _see(self, name: str, value: Any) -> None:
        kind = kind_of(value)
        if kind is not None:
            self.kinds[name] = kind


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """What stands in a dict under words, and in the attributes of an object of the student's."""
    if isinstance(value, dict):
        for key, inner in list(value.items())[:MOST]:
            if isinstance(key, str):
                yield f"[{key!r}]", inner
    elif hasattr(value, "__dict__") and not isinstance(value, type) and not callable(getattr(value, "dtype", None)):
        own = dict(vars(value))
        for name in ("_parameters", "_buffers"):
            own |= own.pop(name, None) or {}
        for name, inner in list(own.items())[:MOST]:
            if (
                name.isidentifier()
                and not name.startswith("__")
                and type(value).__module__ not in ("torch", "builtins")
            ):
                yield f".{name}", inner
                if isinstance(inner, dict) and not name.startswith("_"):
                    yield from ((f".{name}{way}", one) for way, one in _inside(inner))


def _looked_into(tree: ast.FunctionDef) -> dict[str, Any]:
    """Subscripts and attributes that a function reads, with constants only."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Load):
            parts = [one for one in ast.walk(node) if not isinstance(one, ast.expr_context)]
            simple = (ast.Subscript, ast.Attribute, ast.Name, ast.Constant, ast.UnaryOp, ast.USub)
            if all(isinstance(one, simple) for one in parts):
                text = ast.unparse(node)
                found[text] = compile(text, "<a value>", "eval")
    return found
