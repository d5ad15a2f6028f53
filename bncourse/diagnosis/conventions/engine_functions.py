"""Functions on tensors or scalars of an autograd engine of the file's own, as functions of arrays."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions import engine as of_arrays
from bncourse.diagnosis.conventions import scalars
from bncourse.diagnosis.conventions.arrays import Array, Orientation, is_engines, to_numpy
from bncourse.diagnosis.conventions.errors import CannotCallError
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program

LEAVES = ("x", "gamma", "beta")


def engine_class(program: Program) -> scalars.Engine | type | None:
    """Find the class of scalars, or of arrays, that know their gradient."""
    found = scalars.engine_in(program)
    if found is not None:
        return found
    for name in program.trees:
        made = program.namespace.get(name)
        try:
            if isinstance(made, type) and "__mul__" in vars(made) and is_engines(made(np.ones(2))):
                return made
        except Exception:  # noqa: S112  (it is made of something else)
            continue
    return None


class OfEngine:
    """A function on tensors of an engine, called with arrays, which remembers its last graph.

    Parameters
    ----------
    function : callable
        The student's.
    engine : Engine or type
        The class of its tensors.
    program : Program
        The file.
    """

    def __init__(self, function: Callable[..., Any], engine: scalars.Engine | type, program: Program) -> None:
        self.function, self.engine, self.program = function, engine, program
        self.__signature__ = inspect.signature(function)
        self.roles = Signature(function, (*LEAVES, "eps"), positional=3).roles
        self.leaves: dict[str, Any] = {}
        self.y: Any = None
        self.of_one_feature = False

    @property
    def takes_tensors(self) -> bool:
        """Whether it has returned one when it was last called."""
        return self.y is not None

    def __call__(self, **given: Any) -> Any:
        """Call it with tensors; with the arrays themselves where it takes none."""
        self.leaves, self.y = {}, None
        made = dict(given)
        for name, role in self.roles.items():
            if role in LEAVES and isinstance(given.get(name), np.ndarray):
                made[name] = self.leaves[role] = self._leaf(given[name])
        try:
            found = self._called(made)
        except Exception:
            return self.function(**given)
        y, rest = (found[0], list(found[1:])) if isinstance(found, tuple) else (found, [])
        array = self._array(y)
        if array is None:
            return self.function(**given)
        self.y = y
        return (array, *rest) if rest else array

    def _called(self, made: dict[str, Any]) -> Any:
        """Call it with lists of lists; feature by feature where it is for one."""
        if isinstance(self.engine, type) or not self.of_one_feature:
            try:
                return self.function(**made)
            except Exception:
                if isinstance(self.engine, type) or not isinstance(self.leaves.get("x"), list):
                    raise
        columns = list(zip(*self.leaves["x"], strict=True))
        names = {role: name for name, role in self.roles.items() if role in LEAVES}
        ys = []
        for at, column in enumerate(columns):
            one = {name: self.leaves[role][at] for role, name in names.items() if role != "x"}
            ys.append(self.function(**{**made, **one, names["x"]: list(column)}))
        self.of_one_feature = True
        return [list(row) for row in zip(*ys, strict=True)]

    def _leaf(self, array: Array) -> Any:
        if isinstance(self.engine, type):
            return of_arrays.leaf(self.engine, array)
        scalars.clear_tapes(self.program)
        leaf = self.engine.leaf
        return [leaf(one) for one in array] if array.ndim == 1 else [[leaf(one) for one in row] for row in array]

    def _array(self, y: Any) -> Any:
        """What came back as an array; None where it holds no tensor."""
        if isinstance(self.engine, type):
            return to_numpy(y) if isinstance(y, self.engine) else None
        rows = isinstance(y, list) and bool(y) and all(isinstance(row, (list, tuple)) for row in y)
        if not rows or not any(isinstance(one, self.engine.made) for row in y for one in row):
            return None
        return np.array([[self.engine.number_of(one) for one in row] for row in y])

    def gradients(self, dy: Array, orientation: Orientation) -> Any:
        """Return (dx, dgamma, dbeta) of the last call.

        Raises
        ------
        CannotCallError
            If it was not called with tensors.
        """
        if not self.takes_tensors or self.leaves.keys() != set(LEAVES):
            raise CannotCallError("it takes no tensors of its engine")
        x, gamma, beta = (self.leaves[role] for role in LEAVES)
        if isinstance(self.engine, type):
            return of_arrays.gradients(dy, self.y, [x, gamma, beta], orientation)
        scalars.go_back(self.engine, self.program, self.y, orientation.x(dy))
        grad_of = self.engine.grad_of
        dx = np.array([[grad_of(one) for one in row] for row in x])
        dgamma, dbeta = (np.array([grad_of(one) for one in some]) for some in (gamma, beta))
        return orientation.back(dx), dgamma, dbeta
