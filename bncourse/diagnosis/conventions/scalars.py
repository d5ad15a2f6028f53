"""Layers on scalars of an autograd engine of the file's own, as in micrograd, as layers of arrays.

Such a layer takes a list of lists of scalars, a sample in each, and keeps gamma and beta as lists of scalars. One with
a single gamma is for one feature: as many of them are made as x has features.
"""

import ast
import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array
from bncourse.diagnosis.conventions.engine import adds_up
from bncourse.diagnosis.conventions.errors import CannotCallError, quiet
from bncourse.diagnosis.conventions.names import MEASURED, plain, role_of
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.student_class import flags_of

GRADIENTS = ("grad", "g", "gradient", "d", "adj", "adjoint", "dv")
BACK = ("backward", "back", "backprop", "backpropagate", "grad", "gradient")
ROLES = ("gamma", "beta", "running_mean", "running_var")
MEANS = ("running_mean", "running_var")
MODES = ("train", "eval", "mode")


class Engine(NamedTuple):
    """A class of scalars that know their gradient."""

    made: type
    number: str
    """Attribute that holds the number."""
    grad: str
    """Attribute that holds the gradient."""

    def leaf(self, number: float) -> Any:
        """A scalar of which a gradient is asked."""
        return self.made(float(number))

    def number_of(self, value: Any) -> float:
        """What a scalar, or a plain number, holds."""
        return float(getattr(value, self.number) if isinstance(value, self.made) else value)

    def grad_of(self, value: Any) -> float:
        """The gradient of a scalar."""
        return float(getattr(value, self.grad, 0.0) or 0.0)


def engine_in(program: Program) -> Engine | None:
    """Find the class of scalars that a file defines."""
    for name, tree in program.trees.items():
        methods = {getattr(one, "name", "") for one in tree.body} if isinstance(tree, ast.ClassDef) else set()
        made = program.namespace.get(name)
        if not ({"__add__", "__mul__"} <= methods and isinstance(made, type)):
            continue
        try:
            one = made(2.5)
        except Exception:  # noqa: S112  (it is made of something else)
            continue
        held = {key: getattr(one, key, None) for key in (*getattr(one, "__dict__", ()), *_slots(made))}
        numbers = [key for key, value in held.items() if type(value) is float and value == 2.5]
        grads = [key for key, value in held.items() if plain(key) in GRADIENTS and value in (0, None)]
        if numbers and grads:
            return Engine(made, numbers[0], grads[0])
    return None


def _slots(made: type) -> tuple[str, ...]:
    found = getattr(made, "__slots__", ())
    return (found,) if isinstance(found, str) else tuple(found)


class Place:
    """Where a layer keeps one number a feature: a list, a scalar, or one part of a list of pairs.

    Parameters
    ----------
    layer : object
        The student's layer.
    key : str
        Name of its attribute.
    part : int, optional
        Which of each pair.
    """

    def __init__(self, layer: Any, key: str, part: int | None = None) -> None:
        self.layer, self.key, self.part = layer, key, part

    @property
    def values(self) -> list[Any]:
        """What lies there, feature by feature."""
        held = getattr(self.layer, self.key)
        if self.part is not None:
            return [one[self.part] for one in held]
        return list(held) if isinstance(held, list) else [held]

    def put(self, values: list[Any]) -> None:
        """Put something else there."""
        held = getattr(self.layer, self.key)
        if self.part is not None:
            pairs = [list(one) for one in held]
            for pair, value in zip(pairs, values, strict=True):
                pair[self.part] = value
            setattr(self.layer, self.key, [type(one)(pair) for one, pair in zip(held, pairs, strict=True)])
        else:
            setattr(self.layer, self.key, list(values) if isinstance(held, list) else values[0])


def places(layer: Any, engine: Engine) -> dict[str, Place]:
    """Where a layer keeps gamma, beta and the running statistics."""
    found: dict[str, Place] = {}
    numbers = (int, float, engine.made)
    for key, value in vars(layer).items():
        many = isinstance(value, list) and bool(value)
        role = role_of(key, ROLES) or next(
            (f"plain {one}" for one in ("mean", "var") if plain(key) in MEASURED[one]), ""
        )
        if many and all(isinstance(one, (tuple, list)) and len(one) == 2 for one in value):
            found |= {f"plain {one}": Place(layer, key, part) for part, one in enumerate(("mean", "var"))}
        elif role and all(
            isinstance(one, numbers) and not isinstance(one, bool) for one in (value if many else [value])
        ):
            found[role] = Place(layer, key)
    for role in MEANS:
        other = found.pop(f"plain {role.removeprefix('running_')}", None)
        if other is not None:
            found.setdefault(role, other)
    return found


class OfScalars:
    """A layer on scalars, as one of arrays; `layer_of_arrays` makes a class of it for each class of a student."""

    engine: Engine
    program: Program
    tree: ast.ClassDef
    method: str
    construct: Callable[[int], Any]
    set_mode: Callable[..., None]

    def __init__(self, features: int) -> None:
        first = self.construct(features)
        several = len(places(first, self.engine)["gamma"].values) == 1
        self.layers = [first, *(self.construct(features) for _ in range(features - 1))] if several else [first]
        kept = {place.key for place in places(first, self.engine).values()}
        self.settings = [
            key
            for key, value in vars(first).items()
            if role_of(key, ("eps", "momentum")) and isinstance(value, float) and key not in kept
        ]
        for key in self.settings:
            setattr(self, key, getattr(first, key))
        self._pull()

    def _places(self) -> Iterator[tuple[str, list[Place]]]:
        every = [places(one, self.engine) for one in self.layers]
        for role in every[0]:
            yield role, [one[role] for one in every]

    def _pull(self) -> None:
        """Show what the student's layers hold."""
        for role, where in self._places():
            held = [value for place in where for value in place.values]
            setattr(self, role, np.array([self.engine.number_of(one) for one in held]))

    def _push(self) -> None:
        """Give the student's layers what is shown; their parameters become new leaves."""
        for role, where in self._places():
            old = [value for place in where for value in place.values]
            new = np.reshape(getattr(self, role), -1)
            made = [
                self.engine.leaf(number) if isinstance(one, self.engine.made) else float(number)
                for one, number in zip(old, new, strict=True)
            ]
            size = len(made) // len(where)
            for at, place in enumerate(where):
                place.put(made[at * size : (at + 1) * size])
        for layer in self.layers:
            for key in self.settings:
                setattr(layer, key, getattr(self, key))

    def run(self, x: Array, *, train: bool) -> Array:
        """Call the student's layers."""
        self._push()
        clear_tapes(self.program)
        self.x = [[self.engine.leaf(number) for number in row] for row in x]
        inputs: list[Any] = (
            [self.x] if len(self.layers) == 1 else [list(column) for column in zip(*self.x, strict=True)]
        )
        found = []
        for layer, given in zip(self.layers, inputs, strict=True):
            type(self).set_mode(layer, train=train)
            known = Signature(getattr(layer, self.method), (*MODES, "x"), positional=1)
            with quiet():
                found.append(
                    known.call(getattr(layer, self.method), {"x": given, **known.mode(self.tree, train=train)})
                )
        y = found[0] if len(self.layers) == 1 else list(zip(*found, strict=True))
        self.y = [list(row) for row in y]
        self._pull()
        return np.array([[self.engine.number_of(one) for one in row] for row in self.y])

    def gradients(self, dy: Array) -> tuple[Array, Array, Array]:
        """Let the engine go back from the sum of y * dy."""
        go_back(self.engine, self.program, self.y, dy)
        where = dict(self._places())
        parameters = ([value for place in where[role] for value in place.values] for role in ROLES[:2])
        dgamma, dbeta = (np.array([self.engine.grad_of(one) for one in some]) for some in parameters)
        return np.array([[self.engine.grad_of(one) for one in row] for row in self.x]), dgamma, dbeta


def engine_adds_up(engine: Engine, program: Program) -> bool:
    """Whether the gradients of several uses of one scalar add up."""

    def gradient(total: Any, one: Any) -> float:
        with quiet():
            _start(total, program)
        return engine.grad_of(one)

    return adds_up(engine.leaf, gradient)


def go_back(engine: Engine, program: Program, y: list[list[Any]], dy: Array) -> None:
    """Go back from the sum of y * dy, so that every scalar that it was computed from knows its gradient."""
    total = None
    for row, seeds in zip(y, dy, strict=True):
        for one, seed in zip(row, seeds, strict=True):
            if isinstance(one, engine.made):
                term = one * engine.leaf(seed)
                total = term if total is None else total + term
    if total is not None:
        with quiet():
            _start(total, program)


def _start(total: Any, program: Program) -> None:
    """Go back by the scalar's own method, or by the file's tape or function."""
    method = next((getattr(total, name) for name in BACK if callable(getattr(total, name, None))), None)
    if method is not None:
        method()
        return
    for name, value in program.namespace.items():
        if name in BACK and inspect.isfunction(value):
            value(total)
            return
        own = type(value).__name__ in program.trees
        for word in BACK if own else ():
            if callable(getattr(value, word, None)):
                getattr(value, word)(total)
                return
    raise CannotCallError("nothing in it is known to go back through its graph")


def clear_tapes(program: Program) -> None:
    """Forget what the scalars of a file have written down so far, where they do."""
    for value in program.namespace.values():
        if isinstance(value, list) and type(value).__name__ in program.trees:
            value.clear()


def layer_of_arrays(layer: Any, features: int = 3) -> type | None:
    """Make a class of arrays of a student's class of scalars; None where it is none.

    Parameters
    ----------
    layer : Layer
        The student's class, as one that is called with arrays.
    features : int
        With how many one is made to look at.
    """
    engine = engine_in(layer.program)
    if engine is None:
        return None
    layer = copy.copy(layer)
    try:
        one = layer.constructed(features)
        where = places(one, engine)
    except Exception:
        return None
    if not {"gamma", "beta"} <= where.keys() or not isinstance(where["gamma"].values[0], engine.made):
        return None
    method = layer.forward_name
    known = Signature(getattr(one, method), (*MODES, "x"), positional=1)
    attributes = {**dict.fromkeys(flags_of(layer.made), True), **vars(one)}
    flags = [key for key, value in attributes.items() if isinstance(value, (bool, str)) and role_of(key, MODES)]
    modes = bool(flags or layer.switches) or any(known.has(role) for role in MODES)

    def both(self: OfScalars, x: Array, train: bool = True) -> Array:
        return self.run(x, train=train)

    def training(self: OfScalars, x: Array) -> Array:
        return self.run(x, train=True)

    held = {"engine": engine, "program": layer.program, "tree": layer.tree, "method": method}
    held |= {"construct": staticmethod(layer.constructed), "set_mode": staticmethod(layer.set_mode)}
    return type(layer.made.__name__, (OfScalars,), {**held, method: both if modes else training})
