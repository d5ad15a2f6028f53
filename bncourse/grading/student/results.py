"""A student's function in; the same with results as a test gets them when the notebook is graded, out."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from bncourse.grading.oracle.remote_errors import no_array
from bncourse.grading.sandbox.inside.array_likes import copied, poses_as_array

MAX_DEPTH = 8


class Posing:
    """An object that is read as no array: it gives its attributes and items."""

    def __init__(self, value: Any) -> None:
        vars(self).update(_value=value, __name__=type(value).__name__)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise no_array(type(self._value).__name__)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(vars(self)["_value"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._value, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._value[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._value[key] = value

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._value)

    def __bool__(self) -> bool:
        raise TypeError("an object of the student's has no truth value here")


def with_copies(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a student's function so that it takes and returns what it does when it is graded."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return as_graded(function(*map(own, args), **{name: own(value) for name, value in kwargs.items()}))

    return call


def as_graded(value: Any, depth: int = 0) -> Any:
    """A result as it arrives in a test: plain arrays, and no object that only says that it is one."""
    if poses_as_array(value):
        return Posing(value)
    if depth < MAX_DEPTH and type(value) in (list, tuple):
        parts = [as_graded(part, depth + 1) for part in value]
        changed = any(one is not other for one, other in zip(parts, value, strict=True))
        return type(value)(parts) if changed else value
    if depth < MAX_DEPTH and type(value) is dict:
        named = {name: as_graded(part, depth + 1) for name, part in value.items()}
        return named if any(named[name] is not value[name] for name in value) else value
    return value.tobytes() if type(value) is memoryview else copied(value)


def own(value: Any) -> Any:
    """What a test hands back, as the student's code knows it."""
    if type(value) is Posing:
        return value._value
    if type(value) in (list, tuple) and any(type(part) is Posing for part in value):
        return type(value)(map(own, value))
    if type(value) is dict and any(type(part) is Posing for part in value.values()):
        return {name: own(part) for name, part in value.items()}
    return value
