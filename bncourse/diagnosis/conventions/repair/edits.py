"""One change of a function's own source at a time: what a slip of the hand may have put there, the likeliest first.

An edit puts another node in the place of one of the syntax tree, and takes it out again. Its `change` completes "The
change is" and says of which kind it is, not what the right code would be.
"""

import ast
import copy
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bncourse.diagnosis.conventions.repair.values import Kind, Scope

Function = ast.FunctionDef


@dataclass(frozen=True)
class Spot:
    """A place in the tree: a field of a node, and the index where that is a list."""

    parent: ast.AST
    field: str
    index: int | None = None

    @property
    def node(self) -> Any:
        """What stands there."""
        held = getattr(self.parent, self.field)
        return held if self.index is None else held[self.index]

    def put(self, node: Any) -> None:
        """Let another node stand there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass
class Edit:
    """One change."""

    rank: int
    """0 is the likeliest."""
    spot: Spot
    new: Any
    change: str
    at: ast.AST
    """What is quoted."""
    others: tuple["Edit", ...] = ()
    """The same change in other places."""

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make it for a while."""
        every = (self, *self.others)
        old = [one.spot.node for one in every]
        for one in every:
            one.spot.put(one.new)
        try:
            yield
        finally:
            for one, node in reversed(list(zip(every, old, strict=True))):
                one.spot.put(node)

    @property
    def same(self) -> tuple[str, str] | None:
        """By what it is known in another place; None where it is not tried in several at once."""
        if isinstance(self.spot.node, ast.stmt) or self.rank > REPEATED:
            return None
        return ast.unparse(self.spot.node), ast.unparse(self.new)


REPEATED = 2
"""Changes of a lower rank are tried in every place at once, too: a slip that was copied with its line."""


def repeated(found: list[Edit]) -> list[Edit]:
    """The changes that can be made in several lines, each in all of them."""
    groups: dict[Any, list[Edit]] = {}
    for edit in found:
        if edit.same is not None:
            groups.setdefault(edit.same, []).append(edit)
    several = [group for group in groups.values() if len({one.at.lineno for one in group}) > 1]  # type: ignore[attr-defined]
    return [replace(group[0], rank=group[0].rank + 1, others=tuple(group[1:])) for group in several]


SIGN = "another sign"
OPERATOR = "another operator"
AXIS = "another axis"
NUMBER = "another number"
LESS_FACTOR = "one factor less"
LESS_TERM = "one term less"
MORE_FACTOR = "one more factor"
MORE_TERM = "one more term"
BRACKETS = "brackets in another place"
CALL = "another function in this place"
NO_CALL = "without this call"
ORDER = "another order of these"
FLAG = "another condition"
ADDED = "adding to what was there in the place of replacing it, or the other way round"
DROPPED = "without this line"
LAYOUT = "axes in another order before or after this reshape"
POWER = "another power"
EPS = "eps in another place"


def _value(name: str) -> str:
    return f"another value in the place of `{name}`"


def edits(function: Function, scope: Scope, lines: set[int]) -> list[Edit]:
    """Every change of one function that is tried, in the order in which they are.

    Parameters
    ----------
    function : FunctionDef
        Its tree.
    scope : Scope
        The values that its names had when it ran.
    lines : set of int
        Lines that ran; nothing else is changed.
    """
    found = [one for statement in statements(function.body, lines) for one in _of_statement(statement, scope)]
    return sorted(found, key=lambda one: one.rank)


def statements(body: list[ast.stmt], lines: set[int]) -> Iterator[Spot]:
    """Every statement that ran, those inside of others after these."""
    holder = ast.Module(body, [])
    todo = [Spot(holder, "body", index) for index in range(len(body))]
    while todo:
        spot = todo.pop(0)
        node = spot.node
        if not any(line in lines for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)):
            continue
        yield spot
        inner = []
        for field in ("body", "orelse", "finalbody"):
            held = getattr(node, field, None)
            inner += [Spot(node, field, index) for index in range(len(held))] if isinstance(held, list) else []
        todo = inner + todo


def _expressions(spot: Spot) -> Iterator[Spot]:
    """Every expression of a statement that is read, those inside of others after these; no statements in it."""
    node = spot.node
    for field, held in ast.iter_fields(node):
        places = [Spot(node, field, index) for index in range(len(held))] if isinstance(held, list) else None
        for place in places if places is not None else [Spot(node, field)]:
            inner = place.node
            if isinstance(inner, ast.expr) and not isinstance(inner, ast.Lambda | ast.JoinedStr):
                yield place
                yield from _expressions(place)
            elif isinstance(inner, ast.keyword | ast.comprehension):
                yield from _expressions(place)


def _of_statement(spot: Spot, scope: Scope) -> Iterator[Edit]:
    node = spot.node
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    yield from _whole(spot, scope)
    for place in _expressions(spot):
        if isinstance(getattr(place.node, "ctx", ast.Load()), ast.Load):
            yield from _of_expression(place, scope)
        elif isinstance(place.node, ast.Tuple):
            yield from _exchanged(place)
    for place in _terms(spot):
        yield from _more(place, scope)


# --- statements


def _whole(spot: Spot, scope: Scope) -> Iterator[Edit]:
    node = spot.node
    if isinstance(node, ast.AugAssign):
        target = _read(node.target)
        yield Edit(1, spot, _at(node, ast.Assign([node.target], node.value)), ADDED, node)
        other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}.get(type(node.op))
        if other:
            yield Edit(0, spot, _at(node, ast.AugAssign(node.target, other(), node.value)), _sign_or(node.op), node)
        yield Edit(1, spot, _at(node, ast.Assign([node.target], ast.BinOp(node.value, ast.Sub(), target))), ORDER, node)
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Attribute | ast.Subscript | ast.Name):
            known = scope.kind(ast.unparse(target)) is not None
            stores = isinstance(target, ast.Attribute | ast.Subscript) or scope.assigned(target.id) > 1
            if known and stores:
                yield Edit(1, spot, _at(node, ast.AugAssign(target, ast.Add(), node.value)), ADDED, node)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr):
        yield Edit(2, spot, _at(node, ast.Pass()), DROPPED, node)
    if isinstance(node, ast.If):
        yield Edit(1, Spot(node, "test"), _at(node.test, ast.UnaryOp(ast.Not(), node.test)), FLAG, node.test)
        for value in (True, False):
            yield Edit(2, Spot(node, "test"), _at(node.test, ast.Constant(value)), FLAG, node.test)


def _terms(spot: Spot) -> Iterator[Spot]:
    """Where a factor or a term may be missing: whole values, terms of sums, and what is added up."""
    node = spot.node
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.AnnAssign) and node.value is not None:
        values = [Spot(node, "value")]
        if isinstance(node.value, ast.Tuple):
            values = [Spot(node.value, "elts", index) for index in range(len(node.value.elts))]
        yield from values
        for place in _expressions(spot):
            inner, parent = place.node, place.parent
            summed = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Sub)
            given = isinstance(parent, ast.Call) and place.field == "args" and place.index == 0
            if (summed or given) and isinstance(getattr(inner, "ctx", ast.Load()), ast.Load):
                yield place


def _more(place: Spot, scope: Scope) -> Iterator[Edit]:
    """One more factor or term, from the values at hand."""
    node = place.node
    if isinstance(node, ast.Tuple | ast.Constant | ast.Dict | ast.Lambda | ast.Compare | ast.BoolOp | ast.Slice):
        return
    here = scope.kind(ast.unparse(node))
    for name, kind in scope.values(ast.unparse(node)):
        if not kind.numeric or (here is not None and not here.numeric):
            continue
        value = _parsed(name)
        if here is None or here.takes(kind):
            for factor in (ast.Mult(), ast.Div()):
                yield Edit(4, place, _at(node, ast.BinOp(node, factor, value)), MORE_FACTOR, node)
        if (here is None and kind.shape) or here == kind:
            for term in (ast.Add(), ast.Sub()):
                yield Edit(5, place, _at(node, ast.BinOp(node, term, value)), MORE_TERM, node)
    yield Edit(3, place, _at(node, ast.UnaryOp(ast.USub(), node)), SIGN, node)
    every: tuple[Any, ...] = (0, 1, (0, 2, 3))
    for axis in every:
        if here is None or (here.shape and len(here.shape) > (axis if isinstance(axis, int) else 3)):
            keyword = ast.keyword("axis" if not scope.torch else "dim", ast.Constant(axis))
            call = ast.Call(ast.Attribute(node, "sum", ast.Load()), [], [keyword])
            yield Edit(5, place, _at(node, call), "a sum over an axis", node)


# --- expressions


def _of_expression(place: Spot, scope: Scope) -> Iterator[Edit]:
    node = place.node
    if isinstance(node, ast.BinOp):
        yield from _of_operation(place, scope)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield Edit(0, place, node.operand, SIGN, node)
    elif isinstance(node, ast.Call):
        yield from _of_call(place, scope)
    elif isinstance(node, ast.Tuple):
        yield from _exchanged(place)
    elif isinstance(node, ast.IfExp):
        yield Edit(1, place, _at(node, ast.IfExp(node.test, node.orelse, node.body)), FLAG, node)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _of_comparison(place)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(place)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        yield from _of_name(place, scope)


def _of_operation(place: Spot, scope: Scope) -> Iterator[Edit]:
    node = place.node
    left, right, op = node.left, node.right, node.op
    other = {
        ast.Add: (ast.Sub,),
        ast.Sub: (ast.Add,),
        ast.Mult: (ast.Div,),
        ast.Div: (ast.Mult,),
        ast.FloorDiv: (ast.Div,),
        ast.MatMult: (ast.Mult,),
    }.get(type(op), ())
    for one in other:
        yield Edit(0, place, _at(node, ast.BinOp(left, one(), right)), _sign_or(op), node)
    if isinstance(op, ast.Sub | ast.Div | ast.MatMult):
        yield Edit(1, place, _at(node, ast.BinOp(right, op, left)), ORDER, node)
    if isinstance(op, ast.Mult | ast.Div | ast.Add | ast.Sub):
        less = LESS_FACTOR if isinstance(op, ast.Mult | ast.Div) else LESS_TERM
        yield Edit(1, place, left, less, node)
        yield Edit(1, place, right, less, node)
        if isinstance(op, ast.Sub):
            yield Edit(2, place, _at(node, ast.UnaryOp(ast.USub(), right)), less, node)
        if isinstance(op, ast.Div):
            yield Edit(2, place, _at(node, ast.BinOp(ast.Constant(1), op, right)), less, node)
    if isinstance(op, ast.Pow):
        yield Edit(1, place, left, POWER, node)
        for power in (2, 3, 0.5, -0.5, -1, -1.5, 1.5, -2, -3):
            if ast.unparse(right) != str(power):
                yield Edit(1, place, _at(node, ast.BinOp(left, op, ast.Constant(power))), POWER, node)
    yield from _brackets(place)


def _brackets(place: Spot) -> Iterator[Edit]:
    """(a - b) * c as a - b * c, and the other way round, on both sides."""
    node = place.node
    sums, products = (ast.Add, ast.Sub), (ast.Mult, ast.Div)
    left, op, right = node.left, node.op, node.right
    if isinstance(left, ast.BinOp) and (
        (isinstance(op, products) and isinstance(left.op, sums))
        or (isinstance(op, sums) and isinstance(left.op, products))
        or (isinstance(op, products) and isinstance(left.op, products))
    ):
        new = ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right))
        yield Edit(2, place, _at(node, new), BRACKETS, node)
    if isinstance(right, ast.BinOp) and (
        (isinstance(op, products) and isinstance(right.op, sums))
        or (isinstance(op, sums) and isinstance(right.op, products))
        or (isinstance(op, products) and isinstance(right.op, products))
    ):
        new = ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right)
        yield Edit(2, place, _at(node, new), BRACKETS, node)


def _of_comparison(place: Spot) -> Iterator[Edit]:
    node = place.node
    swaps: dict[type, tuple[Any, ...]] = {
        ast.Eq: (ast.NotEq,),
        ast.NotEq: (ast.Eq,),
        ast.Lt: (ast.LtE, ast.Gt),
        ast.Gt: (ast.GtE, ast.Lt),
        ast.LtE: (ast.Lt,),
        ast.GtE: (ast.Gt,),
        ast.Is: (ast.IsNot,),
        ast.IsNot: (ast.Is,),
    }
    for one in swaps.get(type(node.ops[0]), ()):
        yield Edit(1, place, _at(node, ast.Compare(node.left, [one()], node.comparators)), FLAG, node)


def _of_constant(place: Spot) -> Iterator[Edit]:
    node: Any = place.node
    value: Any = node.value
    if isinstance(value, bool):
        yield Edit(0, place, _at(node, ast.Constant(not value)), FLAG, node)
    elif isinstance(value, int) and isinstance(place.parent, ast.Subscript):
        for other in (0, 1, 2, 3, -1):
            if other != value:
                yield Edit(0, place, _at(node, ast.Constant(other)), "another index", node)
    elif isinstance(value, int | float):
        others: list[float] = [value + 1, value - 1, -value, value * 2, value / 2, 1 - value]
        for number in dict.fromkeys(others):
            if number not in (value, 0) and abs(value) > 1e-2:
                yield Edit(0, place, _at(node, _number(number)), NUMBER, place.parent if _is_short(place) else node)


def _is_short(place: Spot) -> bool:
    return isinstance(place.parent, ast.BinOp)


def _of_name(place: Spot, scope: Scope) -> Iterator[Edit]:
    node = place.node
    name = ast.unparse(node)
    here = scope.kind(name)
    called = isinstance(place.parent, ast.Call) and place.field == "func"
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield Edit(1, place, node.value, ORDER, node)
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
        yield Edit(2, place, node.value, "without this index", node)
    if here is None or called or (isinstance(place.parent, ast.Attribute | ast.Subscript) and place.field == "value"):
        if here is not None and not called and here.numeric:
            for other, kind in scope.values(name):
                if kind == here:
                    yield Edit(1, place, _parsed(other), _value(name), node)
        return
    for other, kind in scope.values(name):
        if kind == here:
            yield Edit(1, place, _parsed(other), _value(name), node)
        elif kind.numeric and here.numeric and kind.shape != here.shape:
            yield Edit(2, place, _parsed(other), _value(name), node)
    if here.is_bool:
        yield Edit(1, place, _at(node, ast.UnaryOp(ast.Not(), node)), FLAG, node)
    elif here.numeric:
        for power in (2, 0.5, -1):
            yield Edit(2, place, _at(node, ast.BinOp(node, ast.Pow(), ast.Constant(power))), POWER, node)
        if not here.shape:
            yield Edit(1, place, _at(node, ast.BinOp(ast.Constant(1), ast.Sub(), node)), _value(name), node)
            for step in (-1, 1):
                yield Edit(2, place, _at(node, ast.BinOp(node, ast.Add(), ast.Constant(step))), MORE_TERM, node)
        if here.shape and len(here.shape) == 2:
            yield Edit(3, place, _at(node, ast.Attribute(node, "T", ast.Load())), ORDER, node)


# --- calls

REDUCTIONS = {
    "sum": ("mean", "prod"),
    "mean": ("sum", "var"),
    "average": ("sum",),
    **dict.fromkeys(("max", "min", "median", "prod", "amax", "amin", "cumsum"), ("mean", "sum", "var")),
}
SPREADS = {"var": ("std", "mean"), "std": ("var", "mean")}
AXES: tuple[Any, ...] = (0, 1, 2, None, -1, (0, 1), (0, 2), (0, 1, 2), (0, 2, 3), (1, 2, 3), (2, 3), (0, 3))


def _of_call(place: Spot, scope: Scope) -> Iterator[Edit]:
    node = place.node
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    for other in (*REDUCTIONS.get(name, ()), *SPREADS.get(name, ())):
        yield Edit(0, place, _called(node, func=_renamed(node.func, other)), CALL, node)
    if name in {*REDUCTIONS, *SPREADS, "max", "norm", "var_mean", "std_mean"}:
        yield from _of_reduction(place, name, scope)
    if name in ("reshape", "view"):
        yield from _of_reshape(place, scope)
    if name in ("transpose", "permute"):
        yield from _of_transpose(place)
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
            yield Edit(1, place, _called(node, args=arguments), ORDER, node)
    for index in range(len(node.keywords)):
        rest = [one for at, one in enumerate(node.keywords) if at != index]
        yield Edit(2, place, _called(node, keywords=rest), f"without `{ast.unparse(node.keywords[index])}`", node)


def _of_reduction(place: Spot, name: str, scope: Scope) -> Iterator[Edit]:
    node = place.node
    on_module = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in scope.modules
    where = next((at for at, one in enumerate(node.keywords) if one.arg in ("axis", "dim")), None)
    at = 1 if on_module else 0
    old = node.keywords[where].value if where is not None else node.args[at] if len(node.args) > at else None
    axis_word = "dim" if scope.torch else "axis"
    at_hand = [_parsed(text) for text, kind in scope.values("") if kind.what == "axes"]
    for new in (*(ast.Constant(axis) for axis in AXES), *at_hand):
        if old is not None and ast.unparse(old) == ast.unparse(new):
            continue
        if where is not None:
            keywords = list(node.keywords)
            keywords[where] = ast.keyword(node.keywords[where].arg, new)
            yield Edit(0, place, _called(node, keywords=keywords), AXIS, node)
        elif old is not None:
            arguments = [*node.args[:at], new, *node.args[at + 1 :]]
            yield Edit(0, place, _called(node, args=arguments), AXIS, node)
        elif getattr(new, "value", 0) is not None:
            keywords = [*node.keywords, ast.keyword(axis_word, new)]
            yield Edit(0, place, _called(node, keywords=keywords), AXIS, node)
    words = [one.arg for one in node.keywords]
    for word in ("keepdims", "keepdim"):
        if word not in words and word == ("keepdim" if scope.torch else "keepdims"):
            keywords = [*node.keywords, ast.keyword(word, ast.Constant(value=True))]
            yield Edit(1, place, _called(node, keywords=keywords), f"with `{word}`", node)
    if name in ("var", "std", "var_mean", "std_mean"):
        for word, value in (("ddof", 1), ("ddof", 0), ("unbiased", False), ("unbiased", True)):
            if (word == "unbiased") == scope.torch:
                rest = [one for one in node.keywords if one.arg not in ("ddof", "unbiased", "correction")]
                keywords = [*rest, ast.keyword(word, ast.Constant(value))]
                yield Edit(0, place, _called(node, keywords=keywords), "another divisor of this variance", node)


ORDERS = ((0, 2, 3, 1), (0, 3, 1, 2), (1, 0, 2, 3), (1, 2, 3, 0), (3, 0, 1, 2), (0, 3, 2, 1), (0, 1, 3, 2))


def _permutations(count: int) -> Iterator[tuple[int, ...]]:
    def go(start: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(start) == count:
            yield start
        for one in range(count):
            if one not in start:
                yield from go((*start, one))

    yield from go(())


def _shape_of(node: ast.Call, scope: Scope) -> tuple[ast.expr | None, list[ast.expr], Any]:
    """The array that is reshaped, the sizes, and a function that makes the call with others."""
    func = node.func
    on_module = isinstance(func, ast.Attribute) and getattr(func.value, "id", "") in scope.modules
    array = (node.args[0] if node.args else None) if on_module else getattr(func, "value", None)
    rest = node.args[1:] if on_module else node.args
    packed = len(rest) == 1 and isinstance(rest[0], ast.Tuple | ast.List)
    sizes = list(rest[0].elts) if packed else list(rest)  # type: ignore[attr-defined]

    def make(array: ast.expr, sizes: list[ast.expr]) -> ast.Call:
        given: list[ast.expr] = [ast.Tuple(sizes, ast.Load())] if packed else sizes
        if on_module:
            return ast.Call(func, [array, *given], node.keywords)
        return ast.Call(ast.Attribute(array, func.attr, ast.Load()), given, node.keywords)  # type: ignore[attr-defined]

    return array, sizes, make


def _of_reshape(place: Spot, scope: Scope) -> Iterator[Edit]:
    node = place.node
    array, sizes, make = _shape_of(node, scope)
    if array is None or not sizes:
        return
    word = "permute" if scope.torch else "transpose"

    def turned(array: ast.expr, order: tuple[int, ...]) -> ast.expr:
        return ast.Call(ast.Attribute(array, word, ast.Load()), [ast.Constant(one) for one in order], [])

    if 2 <= len(sizes) <= 4:
        for order in _permutations(len(sizes)):
            if order != tuple(range(len(sizes))):
                new = make(array, [sizes[one] for one in order])
                yield Edit(2, place, _at(node, new), ORDER, node)
    if len(sizes) == 4:
        for order in ORDERS:
            back = [order.index(one) for one in range(4)]
            new = turned(make(array, [sizes[one] for one in back]), tuple(order))
            yield Edit(3, place, _at(node, new), LAYOUT, node)
            backward = turned(make(array, [sizes[one] for one in order]), tuple(back))
            yield Edit(3, place, _at(node, backward), LAYOUT, node)
    else:
        for order in (*ORDERS, (1, 0)):
            new = make(turned(array, order), sizes)
            if scope.torch:
                new.func = ast.Attribute(turned(array, order), "reshape", ast.Load())
            yield Edit(3, place, _at(node, new), LAYOUT, node)


def _of_transpose(place: Spot) -> Iterator[Edit]:
    node = place.node
    holder, sizes = node.args, list(node.args)
    packed = next((one for one in node.args if isinstance(one, ast.Tuple | ast.List)), None)
    if packed is not None:
        sizes = list(packed.elts)
    numbers: list[Any] = [getattr(one, "value", None) for one in sizes]
    if len(numbers) not in (2, 3, 4, 5) or not all(isinstance(one, int) for one in numbers):
        return
    known = sorted(numbers) if len(numbers) > 2 else [0, 1]
    if len(numbers) == 2:
        orders: list[tuple[int, ...]] = [(one, other) for one in range(4) for other in range(one)]
    else:
        orders = list(_permutations(len(known)))
    for order in orders:
        if list(order) == numbers:
            continue
        constants: list[ast.expr] = [ast.Constant(one) for one in order]
        if packed is not None:
            arguments = [ast.Tuple(constants, ast.Load()) if one is packed else one for one in holder]
        else:
            arguments = constants
        yield Edit(0, place, _called(node, args=arguments), "another order of the axes", node)


def _of_root(place: Spot, scope: Scope) -> Iterator[Edit]:
    node = place.node
    inner = node.args[0] if node.args else getattr(node.func, "value", None)
    if inner is None:
        return
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add) and node.args:
        outside = ast.BinOp(_called(node, args=[inner.left]), ast.Add(), inner.right)
        yield Edit(2, place, _at(node, outside), EPS, node)
    elif node.args:
        for name, kind in scope.values(""):
            if kind.numeric and not kind.shape and "eps" in name.lower():
                value = ast.BinOp(inner, ast.Add(), _parsed(name))
                yield Edit(2, place, _called(node, args=[_at(node, value)]), EPS, node)


# --- tuples


def _exchanged(place: Spot) -> Iterator[Edit]:
    node = place.node
    count = len(node.elts)
    if not 2 <= count <= 12 or isinstance(place.parent, ast.Subscript):
        return
    for one in range(count):
        for other in range(one + 1, count):
            parts = list(node.elts)
            parts[one], parts[other] = parts[other], parts[one]
            rank = 1 if other == one + 1 else 2
            yield Edit(rank, place, _at(node, ast.Tuple(parts, node.ctx)), ORDER, node)


# --- nodes


def _at(node: ast.AST, new: Any) -> Any:
    """Give new nodes the place of an old one; what stood in the tree before has its own."""
    if hasattr(new, "lineno"):
        todo = list(ast.iter_child_nodes(new)) if isinstance(new, ast.Call) else []
    else:
        if isinstance(new, ast.expr | ast.stmt | ast.keyword):
            ast.copy_location(new, node)
        todo = list(ast.iter_child_nodes(new))
    for one in todo:
        if not hasattr(one, "lineno"):
            _at(node, one)
    return new


@functools.lru_cache(maxsize=1024)
def _parsed(text: str) -> ast.expr:
    """A value that is at hand, as a tree; all edits share it."""
    return ast.parse(text, mode="eval").body


def _called(node: ast.Call, **changed: Any) -> ast.Call:
    new = copy.copy(node)
    for name, value in changed.items():
        setattr(new, name, value)
    return _at(node, new)  # type: ignore[no-any-return]


def _renamed(func: ast.expr, name: str) -> ast.expr:
    new = copy.copy(func)
    setattr(new, "attr" if isinstance(func, ast.Attribute) else "id", name)
    return new


def _read(target: ast.expr) -> ast.expr:
    new = copy.copy(target)
    new.ctx = ast.Load()  # type: ignore[attr-defined]
    return new


def _number(value: float) -> ast.expr:
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    return ast.Constant(number) if number >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-number))


def _sign_or(op: ast.operator) -> str:
    return "plus and minus exchanged" if isinstance(op, ast.Add | ast.Sub) else OPERATOR


__all__ = ["Edit", "Kind", "Spot", "edits", "repeated", "statements"]
