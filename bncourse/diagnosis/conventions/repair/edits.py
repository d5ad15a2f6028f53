"""Every change of a function that is tried: what a slip of the hand may have put there, the likeliest first."""

import ast
from collections.abc import Iterator
from typing import Any

from bncourse.diagnosis.conventions.repair.calls import of_call
from bncourse.diagnosis.conventions.repair.edit import (
    ADDED,
    DROPPED,
    FLAG,
    LINES,
    MORE_FACTOR,
    MORE_TERM,
    ORDER,
    SIGN,
    Edit,
    Spot,
    value_of,
)
from bncourse.diagnosis.conventions.repair.nodes import at, parsed, read
from bncourse.diagnosis.conventions.repair.operations import of_comparison, of_constant, of_name, of_operation, sign_or
from bncourse.diagnosis.conventions.repair.values import Scope


def edits(function: ast.FunctionDef, scope: Scope, lines: set[int]) -> list[Edit]:
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
            if isinstance(inner, ast.expr) and not isinstance(inner, ast.JoinedStr):
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
            yield from exchanged(place)
    for place in _terms(spot):
        yield from more(place, scope)


def _whole(spot: Spot, scope: Scope) -> Iterator[Edit]:
    node = spot.node
    if isinstance(node, ast.AugAssign):
        target = read(node.target)
        yield Edit(1, spot, at(node, ast.Assign([node.target], node.value)), ADDED, node)
        other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}.get(type(node.op))
        if other:
            yield Edit(0, spot, at(node, ast.AugAssign(node.target, other(), node.value)), sign_or(node.op), node)
        yield Edit(1, spot, at(node, ast.Assign([node.target], ast.BinOp(node.value, ast.Sub(), target))), ORDER, node)
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Attribute | ast.Subscript | ast.Name):
            known = scope.kind(ast.unparse(target)) is not None
            stores = isinstance(target, ast.Attribute | ast.Subscript) or scope.assigned(target.id) > 1
            if known and stores:
                yield Edit(1, spot, at(node, ast.AugAssign(target, ast.Add(), node.value)), ADDED, node)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr):
        yield Edit(2, spot, at(node, ast.Pass()), DROPPED, node)
    following = _following(spot)
    if following is not None:
        back = Edit(2, following, node, LINES, following.node)
        yield Edit(2, spot, following.node, LINES, node, (back,))
    if isinstance(node, ast.If):
        yield Edit(1, Spot(node, "test"), at(node.test, ast.UnaryOp(ast.Not(), node.test)), FLAG, node.test)
        for value in (True, False):
            yield Edit(2, Spot(node, "test"), at(node.test, ast.Constant(value)), FLAG, node.test)


def _following(spot: Spot) -> Spot | None:
    """The next statement of the same block, if both are simple ones."""
    held = getattr(spot.parent, spot.field)
    if spot.index is None or spot.index + 1 >= len(held):
        return None
    simple = (ast.Assign, ast.AugAssign, ast.Expr)
    both = isinstance(spot.node, simple) and isinstance(held[spot.index + 1], simple)
    return Spot(spot.parent, spot.field, spot.index + 1) if both else None


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


def more(place: Spot, scope: Scope) -> Iterator[Edit]:
    """One more factor or term, from the values at hand."""
    node = place.node
    if isinstance(node, ast.Tuple | ast.Constant | ast.Dict | ast.Lambda | ast.Compare | ast.BoolOp | ast.Slice):
        return
    here = scope.kind(ast.unparse(node))
    for name, kind in scope.values(ast.unparse(node)):
        if not kind.numeric or (here is not None and not here.numeric):
            continue
        value = parsed(name)
        if here is None and isinstance(node, ast.BinOp | ast.Call):
            yield Edit(4, place, value, value_of(" ".join(ast.unparse(node).split())), node)
        if here is None or here.takes(kind):
            for factor in (ast.Mult(), ast.Div()):
                yield Edit(4, place, at(node, ast.BinOp(node, factor, value)), MORE_FACTOR, node)
        if (here is None and kind.shape) or here == kind:
            for term in (ast.Add(), ast.Sub()):
                yield Edit(5, place, at(node, ast.BinOp(node, term, value)), MORE_TERM, node)
    yield Edit(3, place, at(node, ast.UnaryOp(ast.USub(), node)), SIGN, node)
    every: tuple[Any, ...] = (0, 1, (0, 2, 3))
    for axis in every:
        if here is None or (here.shape and len(here.shape) > (axis if isinstance(axis, int) else 3)):
            keyword = ast.keyword("axis" if not scope.torch else "dim", ast.Constant(axis))
            call = ast.Call(ast.Attribute(node, "sum", ast.Load()), [], [keyword])
            yield Edit(5, place, at(node, call), "a sum over an axis", node)


def _of_expression(place: Spot, scope: Scope) -> Iterator[Edit]:
    node = place.node
    if isinstance(node, ast.BinOp):
        yield from of_operation(place, scope)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield Edit(0, place, node.operand, SIGN, node)
    elif isinstance(node, ast.Call):
        yield from of_call(place, scope)
    elif isinstance(node, ast.Tuple):
        yield from exchanged(place)
    elif isinstance(node, ast.IfExp):
        yield Edit(1, place, at(node, ast.IfExp(node.test, node.orelse, node.body)), FLAG, node)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from of_comparison(place)
    elif isinstance(node, ast.Constant):
        yield from of_constant(place)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        yield from of_name(place, scope)


def exchanged(place: Spot) -> Iterator[Edit]:
    """Two entries of a tuple in each other's place."""
    node = place.node
    count = len(node.elts)
    if not 2 <= count <= 12 or isinstance(place.parent, ast.Subscript):
        return
    for one in range(count):
        for other in range(one + 1, count):
            parts = list(node.elts)
            parts[one], parts[other] = parts[other], parts[one]
            rank = 1 if other == one + 1 else 2
            yield Edit(rank, place, at(node, ast.Tuple(parts, node.ctx)), ORDER, node)
