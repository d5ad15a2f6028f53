"""Changes of how axes are ordered: transposed and reshaped arrays."""

import ast
from collections.abc import Iterator
from typing import Any

from bncourse.diagnosis.conventions.repair.edit import LAYOUT, ORDER, Edit, Spot
from bncourse.diagnosis.conventions.repair.nodes import at, called
from bncourse.diagnosis.conventions.repair.values import Scope

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


def of_reshape(place: Spot, scope: Scope) -> Iterator[Edit]:
    """Other orders of the sizes, and axes moved before or after."""
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
                yield Edit(2, place, at(node, new), ORDER, node)
    if len(sizes) == 4:
        for order in ORDERS:
            back = [order.index(one) for one in range(4)]
            new = turned(make(array, [sizes[one] for one in back]), tuple(order))
            yield Edit(3, place, at(node, new), LAYOUT, node)
            backward = turned(make(array, [sizes[one] for one in order]), tuple(back))
            yield Edit(3, place, at(node, backward), LAYOUT, node)
    else:
        for order in (*ORDERS, (1, 0)):
            new = make(turned(array, order), sizes)
            if scope.torch:
                new.func = ast.Attribute(turned(array, order), "reshape", ast.Load())
            yield Edit(3, place, at(node, new), LAYOUT, node)


def of_transpose(place: Spot) -> Iterator[Edit]:
    """Every other order of the axes."""
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
        yield Edit(0, place, called(node, args=arguments), "another order of the axes", node)
