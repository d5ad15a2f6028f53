"""Changes of operators, brackets, comparisons, numbers and names."""

import ast
from collections.abc import Iterator
from typing import Any

from bncourse.diagnosis.conventions.repair.edit import (
    BRACKETS,
    FLAG,
    LESS_FACTOR,
    LESS_TERM,
    MORE_TERM,
    NUMBER,
    OPERATOR,
    ORDER,
    POWER,
    Edit,
    Spot,
    value_of,
)
from bncourse.diagnosis.conventions.repair.nodes import at, called, number_node, parsed
from bncourse.diagnosis.conventions.repair.values import Scope


def of_operation(place: Spot, scope: Scope) -> Iterator[Edit]:
    """Other operators, operands and brackets."""
    node = place.node
    left, right, op = node.left, node.right, node.op
    for one in (ast.Add, ast.Sub, ast.Mult, ast.Div):
        if not isinstance(op, one):
            likely = {type(op), one} in ({ast.Add, ast.Sub}, {ast.Mult, ast.Div})
            change = "plus and minus exchanged" if {type(op), one} == {ast.Add, ast.Sub} else OPERATOR
            yield Edit(0 if likely else 2, place, at(node, ast.BinOp(left, one(), right)), change, node)
    if isinstance(op, ast.Sub | ast.Div | ast.MatMult):
        yield Edit(1, place, at(node, ast.BinOp(right, op, left)), ORDER, node)
    if isinstance(op, ast.Mult | ast.Div | ast.Add | ast.Sub):
        less = LESS_FACTOR if isinstance(op, ast.Mult | ast.Div) else LESS_TERM
        yield Edit(1, place, left, less, node)
        yield Edit(1, place, right, less, node)
        if isinstance(op, ast.Sub):
            yield Edit(2, place, at(node, ast.UnaryOp(ast.USub(), right)), less, node)
        if isinstance(op, ast.Div):
            yield Edit(2, place, at(node, ast.BinOp(ast.Constant(1), op, right)), less, node)
    if isinstance(op, ast.Pow):
        yield Edit(1, place, left, POWER, node)
        for power in (2, 3, 0.5, -0.5, -1, -1.5, 1.5, -2, -3):
            if ast.unparse(right) != str(power):
                yield Edit(1, place, at(node, ast.BinOp(left, op, ast.Constant(power))), POWER, node)
    if isinstance(op, ast.Add) and isinstance(left, ast.Call) and len(left.args) == 1 and not left.keywords:
        inside = at(node, ast.BinOp(left.args[0], ast.Add(), right))
        yield Edit(1, place, called(left, args=[inside]), BRACKETS, node)
    yield from _brackets(place)


def _brackets(place: Spot) -> Iterator[Edit]:
    """(a - b) * c as a - b * c, and the other way round, on both sides."""
    node = place.node
    sums, products = (ast.Add, ast.Sub), (ast.Mult, ast.Div)
    left, op, right = node.left, node.op, node.right
    if isinstance(op, sums):
        yield from _around_a_sum(place)
    if isinstance(left, ast.BinOp) and (
        (isinstance(op, products) and isinstance(left.op, sums))
        or (isinstance(op, sums) and isinstance(left.op, products))
        or (isinstance(op, products) and isinstance(left.op, products))
    ):
        new = ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right))
        yield Edit(2, place, at(node, new), BRACKETS, node)
    if isinstance(right, ast.BinOp) and (
        (isinstance(op, products) and isinstance(right.op, sums))
        or (isinstance(op, sums) and isinstance(right.op, products))
        or (isinstance(op, products) and isinstance(right.op, products))
    ):
        new = ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right)
        yield Edit(2, place, at(node, new), BRACKETS, node)


def _around_a_sum(place: Spot) -> Iterator[Edit]:
    """A * b - c / d as a * (b - c) / d, and a * b + c ** d as a * (b + c) ** d: brackets that both sides lack."""
    node = place.node
    products = (ast.Mult, ast.Div)
    left, op, right = node.left, node.op, node.right
    factor = left if isinstance(left, ast.BinOp) and isinstance(left.op, products) else None
    inner = ast.BinOp(factor.right if factor else left, op, right.left if isinstance(right, ast.BinOp) else right)
    if not isinstance(right, ast.BinOp) or not isinstance(right.op, (*products, ast.Pow)):
        return
    if isinstance(right.op, ast.Pow):
        powered = ast.BinOp(inner, right.op, right.right)
        new = ast.BinOp(factor.left, factor.op, powered) if factor else powered
    elif factor:
        new = ast.BinOp(ast.BinOp(factor.left, factor.op, inner), right.op, right.right)
    else:
        return
    yield Edit(2, place, at(node, new), BRACKETS, node)


def of_comparison(place: Spot) -> Iterator[Edit]:
    """The opposite of a comparison."""
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
        yield Edit(1, place, at(node, ast.Compare(node.left, [one()], node.comparators)), FLAG, node)


def of_constant(place: Spot) -> Iterator[Edit]:
    """Other numbers."""
    node: Any = place.node
    value: Any = node.value
    if isinstance(value, bool):
        yield Edit(0, place, at(node, ast.Constant(not value)), FLAG, node)
    elif isinstance(value, int) and isinstance(place.parent, ast.Subscript | ast.Tuple):
        for other in (0, 1, 2, 3, -1):
            if other != value:
                change = "another index" if isinstance(place.parent, ast.Subscript) else NUMBER
                yield Edit(0, place, at(node, number_node(other)), change, node)
    elif isinstance(value, int | float):
        others: list[float] = [value + 1, value - 1, -value, value * 2, value / 2, 1 - value]
        others += [round(value)] if value != round(value) else []
        for number in dict.fromkeys(others):
            if number not in (value, 0) and abs(value) > 1e-2:
                yield Edit(0, place, at(node, number_node(number)), NUMBER, place.parent if _is_short(place) else node)


def _is_short(place: Spot) -> bool:
    return isinstance(place.parent, ast.BinOp)


def of_name(place: Spot, scope: Scope) -> Iterator[Edit]:
    """Other values of the same kind, and the same value changed a little."""
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
                    yield Edit(1, place, parsed(other), value_of(name), node)
        return
    for other, kind in scope.values(name):
        if kind == here:
            yield Edit(1, place, parsed(other), value_of(name), node)
        elif kind.numeric and here.numeric and kind.shape != here.shape:
            yield Edit(2, place, parsed(other), value_of(name), node)
    if here.is_bool:
        yield Edit(1, place, at(node, ast.UnaryOp(ast.Not(), node)), FLAG, node)
    elif here.numeric:
        for power in (2, 0.5, -1):
            yield Edit(2, place, at(node, ast.BinOp(node, ast.Pow(), ast.Constant(power))), POWER, node)
        if not here.shape:
            yield Edit(1, place, at(node, ast.BinOp(ast.Constant(1), ast.Sub(), node)), value_of(name), node)
        for number in (1, 2):
            yield Edit(3, place, at(node, ast.Constant(number)), value_of(name), node)
        if not here.shape:
            for step in (-1, 1):
                yield Edit(2, place, at(node, ast.BinOp(node, ast.Add(), ast.Constant(step))), MORE_TERM, node)
        if here.shape and len(here.shape) == 2:
            yield Edit(3, place, at(node, ast.Attribute(node, "T", ast.Load())), ORDER, node)


def sign_or(op: ast.operator) -> str:
    """Say which change exchanges an operator."""
    return "plus and minus exchanged" if isinstance(op, ast.Add | ast.Sub) else OPERATOR
