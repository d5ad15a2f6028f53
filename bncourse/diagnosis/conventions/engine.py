"""Layers on an autograd engine of the file's own, as in micrograd: its tensors hold `data` and `grad`."""

import inspect
from collections.abc import Callable
from operator import add, mul
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, Orientation, as_vector, is_engines, to_numpy
from bncourse.diagnosis.conventions.errors import CannotCallError, quiet

PLAIN = inspect.Parameter.POSITIONAL_OR_KEYWORD


def engine_of(parameter: Any) -> type | None:
    """The class of a layer's parameter, if that is a tensor of an engine of the file's own."""
    return type(parameter) if is_engines(parameter) else None


def leaf(engine: type, array: Array) -> Any:
    """A tensor of the engine of which a gradient is asked."""
    asked = [name for name in inspect.signature(engine).parameters if name in ("requires_grad", "requiresgrad")]
    return engine(array, **dict.fromkeys(asked, True))


def adds_up(leaf: Callable[[float], Any], gradient: Callable[[Any, Any], float]) -> bool:
    """Whether the gradients of two uses of one value add up.

    Parameters
    ----------
    leaf : callable
        Makes a tensor of the engine.
    gradient : callable
        Of a result and a leaf: goes back from the one, and returns the gradient of the other.
    """
    uses: list[Callable[[Any, Any], Any]] = [add, mul, lambda one, other: other + one, lambda one, other: other * one]
    for use in uses:
        apart = 0.0
        for other in (2.0, 5.0):
            one = leaf(3.0)
            apart += gradient(use(one, leaf(other)), one)
        one = leaf(3.0)
        if gradient(use(one, leaf(2.0)) + use(one, leaf(5.0)), one) != apart:
            return False
    return True


def engine_adds_up(engine: type) -> bool:
    """Whether a class of tensors adds up the gradients of several uses."""

    def gradient(total: Any, one: Any) -> float:
        _start(total, np.ones(1))
        return float(np.ravel(to_numpy(one.grad))[0])

    return adds_up(lambda number: leaf(engine, np.array([number])), gradient)


def gradients(dy: Array, y: Any, leaves: list[Any], lay: Orientation) -> Any:
    """Gradients with respect to the leaves that y was computed from, in our layout.

    Raises
    ------
    CannotCallError
        If y is no tensor of the engine.
    """
    if not is_engines(y):
        raise CannotCallError("what it returns is no tensor of its engine")
    _start(y, np.array(lay.x(dy)))
    if getattr(leaves[0], "grad", None) is None:
        raise CannotCallError("its engine leaves no gradient at x")
    found = []
    for leaf in leaves:
        grad = to_numpy(getattr(leaf, "grad", None))
        found.append(np.zeros(np.shape(to_numpy(leaf))) if grad is None else np.array(grad, dtype=float))
    dx, *rest = found
    return lay.back(dx), *map(as_vector, rest)


def _start(y: Any, seed: Array) -> None:
    """Go back from y: with the upstream gradient where `backward` takes it, and from y * dy where it does not."""
    parameters = inspect.signature(y.backward).parameters.values()
    takes = [one for one in parameters if one.kind is PLAIN and not isinstance(one.default, bool)]
    with quiet():
        if takes:
            try:
                y.backward(seed)
            except (AttributeError, TypeError):
                y.backward(type(y)(seed))
            return
        total = y * type(y)(seed)
        (total.sum() if hasattr(total, "sum") else total).backward()
