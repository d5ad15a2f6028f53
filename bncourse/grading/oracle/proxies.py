"""A handle of a student's function, class or object in; a proxy out, which stands for it in the test cells.

What it stands for stays where it is: the proxy asks for its attributes and items, calls it, and hands it back. A proxy
is never equal to anything, has no truth value and no array protocol, so that no comparison is decided by the student's
code.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bncourse.grading.oracle.remote_errors import StudentRefused, no_array
from bncourse.grading.sandbox.inside.seen import worst

if TYPE_CHECKING:
    from bncourse.grading.oracle.connection import Connection

MAX_LENGTH = 1_000_000
"""The length that an object of the student's may claim."""


class Remote:
    """Stands for an object of the student's."""

    def __init__(self, connection: "Connection", number: int, name: str) -> None:
        vars(self).update(_connection=connection, _number=number, __name__=name, mutated_arguments=())

    def __repr__(self) -> str:
        return f"<the student's {vars(self)['__name__']}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._connection.request("attribute", self, name)[1]

    def __setattr__(self, name: str, value: Any) -> None:
        self._connection.request("set", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._connection.request("item", self, key)[1]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._connection.request("put", self, key, value)

    def __len__(self) -> int:
        length = self._connection.request("length", self)[1]
        if type(length) is not int or not 0 <= length <= MAX_LENGTH:
            raise StudentRefused("an object of the student's says that it is too long")
        return length

    def __iter__(self) -> Iterator[Any]:
        items = self._connection.request("items", self)[1]
        if type(items) is not list:
            raise StudentRefused("malformed message (items)")
        return iter(items)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise no_array(vars(self)["__name__"])

    def __bool__(self) -> bool:
        raise TypeError("an object of the student's has no truth value here")

    def __del__(self) -> None:
        self._connection.freed.append(self._number)


class RemoteFunction(Remote):
    """Stands for a function; after a call `mutated_arguments` names the arrays that it changed in place."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it with copies of the arguments."""
        connection = self._connection
        name, closely = connection.watched.next_call(vars(self).get("_gradient", ""), connection.asks_secrets)
        answer: Any = None
        if name:
            try:
                answer = connection.request("watch", self, args, kwargs, closely)
            finally:
                connection.watched.look_again(name, closely, answer and answer[1])
            if answer[3:4] and type(answer[3]) is list and worst(answer[3]):
                connection.watched.see(name, worst(answer[3]))
        else:
            answer = connection.request("call", self, args, kwargs)
        vars(self)["mutated_arguments"] = tuple(str(name)[:100] for name in answer[2])
        return answer[1]

    def vjp(self, inputs: Sequence[Any], cotangent: Any) -> tuple[Any, ...]:
        """The vector-Jacobian product of a function of PyTorch tensors, taken where the student's code runs."""
        import torch

        leaves = [value.detach().clone().requires_grad_(True) for value in inputs]
        return torch.autograd.grad(self(*leaves), leaves, cotangent, allow_unused=True)


class RemoteClass(RemoteFunction):
    """Stands for a class: calling it makes an object that stays with the student."""

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Remote) and bool(self._connection.request("instance", value, self)[1])


def named(name: str, value: Any) -> Any:
    """Call a function by the name that it was asked for by, not by one that the student's process has said.

    If it is one that gives a gradient, its calls are watched from now on.
    """
    if type(value) is RemoteFunction:
        vars(value)["__name__"] = name
    if isinstance(value, RemoteFunction) and name in value._connection.watched.names:
        vars(value)["_gradient"] = name
    return value
