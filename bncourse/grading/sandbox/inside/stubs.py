"""What cells bind in which a student has written nothing in; whether code elsewhere has changed it since out."""

import types
from collections.abc import Collection, Mapping
from typing import Any


class Stubs:
    """The names that such cells have bound."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, tuple[Any, Any]]] = {}

    def note(self, cell: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note what a cell has bound, from the names before it ran and after."""
        bound = ((name, value) for name, value in after.items() if value is not before.get(name))
        self.made[cell] = {name: (value, inner(value)) for name, value in bound}

    def untouched(self, about: Mapping[str, Collection[str]], names: Mapping[str, Any]) -> bool:
        """Whether what is there of the names of these cells is still what the cells have bound.

        Parameters
        ----------
        about : mapping of str to collection of str
            The names that each cell has to bind.
        names : mapping
            The names that there are now.
        """
        made = {name: found for cell in about for name, found in self.made.get(cell, {}).items()}
        there = {name for each in about.values() for name in each} & names.keys()
        return all(
            name in made and names[name] is made[name][0] and inner(names[name]) == made[name][1] for name in there
        )


def inner(value: Any) -> Any:
    """Return what of a function or a class can be replaced, by identity; None of anything else."""
    if isinstance(value, types.FunctionType):
        return id(value.__code__)
    return {name: id(part) for name, part in vars(value).items()} if isinstance(value, type) else None
