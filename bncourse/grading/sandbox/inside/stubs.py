"""What cells bind in which a student has written nothing in; whether code elsewhere has changed it since out."""

import types
from collections.abc import Collection, Mapping
from typing import Any


class Stubs:
    """The names that such cells have bound, and those that the given cells have."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, tuple[Any, Any]]] = {}
        self.given: dict[str, tuple[Any, Any]] = {}
        """An answer may be a correction of what was given."""

    def note(self, cell: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note what a cell has bound in which nothing was written, from the names before it ran and after."""
        self.made[cell] = _bound(before, after)

    def note_given(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note what a given cell has bound."""
        self.given |= _bound(before, after)

    def untouched(self, about: Mapping[str, Collection[str]], names: Mapping[str, Any]) -> bool:
        """Whether what is there of the names of these cells is still what they, or the given cells, have bound.

        Parameters
        ----------
        about : mapping of str to collection of str
            The names that each cell has to bind.
        names : mapping
            The names that there are now.
        """
        made = [self.given, *(self.made.get(cell, {}) for cell in about)]
        there = {name for each in about.values() for name in each} & names.keys()
        return all(any(name in one and _is_same(names[name], *one[name]) for one in made) for name in there)


def _bound(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (value, inner(value)) for name, value in after.items() if value is not before.get(name)}


def _is_same(value: Any, was: Any, was_inner: Any) -> bool:
    return value is was and inner(value) == was_inner


def inner(value: Any) -> Any:
    """Return what of a function or a class can be replaced, by identity; None of anything else."""
    if isinstance(value, types.FunctionType):
        return id(value.__code__)
    return {name: id(part) for name, part in vars(value).items()} if isinstance(value, type) else None
