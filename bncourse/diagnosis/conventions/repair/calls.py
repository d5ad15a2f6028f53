"""Changes of calls: another function, another axis, other arguments."""

import ast
from collections.abc import Iterator
from typing import Any

from bncourse.diagnosis.conventions.repair.edit import AXIS, CALL, EPS, NO_CALL, ORDER, Edit, Spot
from bncourse.diagnosis.conventions.repair.layouts import of_reshape, of_transpose
from bncourse.diagnosis.conventions.repair.nodes import at, called, parsed, renamed
from bncourse.diagnosis.conventions.repair.values import Scope

REDUCTIONS = {
    "sum": ("mean", "prod"),
    "mean": ("sum", "var"),
    "average": ("sum",),
    **dict.fromkeys(("max", "min", "median", "prod", "amax", "amin", "cumsum", "abs"), ("mean", "sum", "var")),
}


SPREADS = {"var": ("std", "mean"), "std": ("var", "mean", "sum")}


ONE_BY_ONE = dict.fromkeys(("abs", "square", "exp", "log", "tanh", "cumsum", "sign"), ("sqrt", "square"))


AXES: tuple[Any, ...] = (0, 1, 2, None, -1, (0, 1), (0, 2), (0, 1, 2), (0, 2, 3), (1, 2, 3), (2, 3), (0, 3))


def of_call(place: Spot, scope: Scope) -> Iterator[Edit]:
    """Another function in a call, other arguments, or none."""
    node = place.node
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    for other in (*REDUCTIONS.get(name, ()), *SPREADS.get(name, ()), *ONE_BY_ONE.get(name, ())):
        yield Edit(0, place, called(node, func=renamed(node.func, other)), CALL, node)
    if name in {*REDUCTIONS, *SPREADS, "max", "norm", "var_mean", "std_mean"}:
        yield from _of_reduction(place, name, scope)
    if name in ("reshape", "view"):
        yield from of_reshape(place, scope)
    if name in ("transpose", "permute"):
        yield from of_transpose(place)
    if name == "sqrt":
        yield from _of_root(place, scope)
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
    module = isinstance(receiver, ast.Name) and receiver.id in scope.modules
    if (len(node.args) <= 1 and not node.keywords) or name in REDUCTIONS:
        inner = node.args[0] if node.args and (module or receiver is None) else receiver
        if inner is not None and not (isinstance(inner, ast.Name) and inner.id in scope.modules):
            yield Edit(1, place, inner, NO_CALL, node)
    if len(node.args) >= 2 and not any(isinstance(one, ast.Starred) for one in node.args):
        for at in range(len(node.args) - 1):
            arguments = list(node.args)
            arguments[at], arguments[at + 1] = arguments[at + 1], arguments[at]
            yield Edit(1, place, called(node, args=arguments), ORDER, node)
    for index in range(len(node.keywords)):
        rest = [one for at, one in enumerate(node.keywords) if at != index]
        yield Edit(2, place, called(node, keywords=rest), f"without `{ast.unparse(node.keywords[index])}`", node)


def _of_reduction(place: Spot, name: str, scope: Scope) -> Iterator[Edit]:
    node = place.node
    on_module = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in scope.modules
    where = next((at for at, one in enumerate(node.keywords) if one.arg in ("axis", "dim")), None)
    at = 1 if on_module else 0
    old = node.keywords[where].value if where is not None else node.args[at] if len(node.args) > at else None
    axis_word = "dim" if scope.torch else "axis"
    at_hand = [parsed(text) for text, kind in scope.values("") if kind.what == "axes"]
    for new in (*(ast.Constant(axis) for axis in AXES), *at_hand):
        if old is not None and ast.unparse(old) == ast.unparse(new):
            continue
        if where is not None:
            keywords = list(node.keywords)
            keywords[where] = ast.keyword(node.keywords[where].arg, new)
            yield Edit(0, place, called(node, keywords=keywords), AXIS, node)
        elif old is not None:
            arguments = [*node.args[:at], new, *node.args[at + 1 :]]
            yield Edit(0, place, called(node, args=arguments), AXIS, node)
        elif getattr(new, "value", 0) is not None:
            keywords = [*node.keywords, ast.keyword(axis_word, new)]
            yield Edit(0, place, called(node, keywords=keywords), AXIS, node)
    words = [one.arg for one in node.keywords]
    for word in ("keepdims", "keepdim"):
        if word not in words and word == ("keepdim" if scope.torch else "keepdims"):
            keywords = [*node.keywords, ast.keyword(word, ast.Constant(value=True))]
            yield Edit(1, place, called(node, keywords=keywords), f"with `{word}`", node)
    if name in ("var", "std", "var_mean", "std_mean"):
        for word, value in (("ddof", 1), ("ddof", 0), ("unbiased", False), ("unbiased", True)):
            if (word == "unbiased") == scope.torch:
                rest = [one for one in node.keywords if one.arg not in ("ddof", "unbiased", "correction")]
                keywords = [*rest, ast.keyword(word, ast.Constant(value))]
                yield Edit(0, place, called(node, keywords=keywords), "another divisor of this variance", node)


def _of_root(place: Spot, scope: Scope) -> Iterator[Edit]:
    node = place.node
    inner = node.args[0] if node.args else getattr(node.func, "value", None)
    if inner is None:
        return
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add) and node.args:
        outside = ast.BinOp(called(node, args=[inner.left]), ast.Add(), inner.right)
        yield Edit(2, place, at(node, outside), EPS, node)
    elif node.args:
        for name, kind in scope.values(""):
            if kind.numeric and not kind.shape and "eps" in name.lower():
                value = ast.BinOp(inner, ast.Add(), parsed(name))
                yield Edit(2, place, called(node, args=[at(node, value)]), EPS, node)
