"""Functions of x alone, whose gamma and beta are globals of the file or variables of the function around them."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.names import role_of

GIVEN = ("gamma", "beta", "eps")


class OfSurroundings:
    """Such a function, as one of x, gamma and beta.

    Parameters
    ----------
    function : callable
        The student's.
    names : dict
        The role of each name that it reads around itself.
    """

    def __init__(self, function: Callable[..., Any], names: dict[str, str]) -> None:
        self.function, self.names = function, names
        code: Any = function.__code__
        cells: Any = function.__closure__ or ()
        self.cells = dict(zip(code.co_freevars, cells, strict=True))
        self.x = next(iter(inspect.signature(function).parameters))
        words = dict.fromkeys(["x", *GIVEN[:2], *(role for role in GIVEN[2:] if role in names.values())])
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(word, inspect.Parameter.POSITIONAL_OR_KEYWORD) for word in words]
        )

    def __call__(self, x: Any, **given: Any) -> Any:
        """Put what is given where it reads it, and call it."""
        for name, role in self.names.items():
            if name in self.cells:
                self.cells[name].cell_contents = given[role]
            else:
                self.function.__globals__[name] = given[role]
        return self.function(x)


def of_surroundings(function: Any) -> OfSurroundings | None:
    """Such a function as one of x, gamma and beta; None for any other."""
    if not inspect.isfunction(function):
        return None
    needed = [one for one in inspect.signature(function).parameters.values() if one.default is one.empty]
    if len(needed) != 1 or len(inspect.signature(function).parameters) != 1:
        return None
    read = inspect.getclosurevars(function)
    names: dict[str, str] = {}
    for name, value in {**read.globals, **read.nonlocals}.items():
        role = role_of(name, GIVEN)
        is_array = isinstance(value, np.ndarray) and role in GIVEN[:2]
        if role is not None and (is_array or (role == "eps" and isinstance(value, float) and name in read.nonlocals)):
            names[name] = role
    return OfSurroundings(function, names) if {"gamma", "beta"} <= set(names.values()) else None
