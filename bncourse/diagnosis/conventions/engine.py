"""Layers on an autograd engine of the file's own, as in micrograd: its tensors hold `data` and `grad`."""

import inspect
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.calls import Array, CannotCallError, Orientation, is_engines, quiet, to_numpy

PLAIN = inspect.Parameter.POSITIONAL_OR_KEYWORD


def engine_of(parameter: Any) -> type | None:
    """The class of a layer's parameter, if that is a tensor of an engine of the file's own."""
    return type(parameter) if is_engines(parameter) else None


def leaf(engine: type, array: Array) -> Any:
    """A tensor of the engine of which a gradient is asked."""
    asked = [name for name in inspect.signature(engine).parameters if name in ("requires_grad", "requiresgrad")]
    return engine(array, **dict.fromkeys(asked, True))


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
    return lay.back(dx), *(one.reshape(-1) if one.ndim > 1 and max(one.shape) == one.size else one for one in rest)


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
