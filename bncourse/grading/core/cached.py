"""A method in; an attribute that is worked out when it is first read, and kept, out."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class cached_property(Generic[Value]):  # noqa: N801  (used as the one of functools)
    """Does what `functools.cached_property` does, without the lock that this takes before Python 3.12.

    That lock is one for all instances, and a process that is forked while a thread works a value out finds it taken for
    ever. Without it, two threads may work out the same value.
    """

    def __init__(self, method: Callable[[Any], Value]) -> None:
        self.method, self.__doc__ = method, method.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "cached_property[Value]": ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> "cached_property[Value] | Value":
        if instance is None:
            return self
        value = self.method(instance)
        return vars(instance).setdefault(self.name, value)  # type: ignore[no-any-return]
