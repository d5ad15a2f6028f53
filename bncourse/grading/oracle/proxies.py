"""Messages from the worker in; proxies of a student's functions, classes, values and objects out.

Arrays, numbers and strings arrive as copies. Anything else stays where it is, and the stand-in asks for its
attributes and items, calls it, and hands it back. A stand-in is never equal to anything, has no truth value and
no array protocol, so that no comparison is decided by the student's code.
"""

import builtins
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NoReturn

from bncourse.grading.oracle.patience import LEAST, LOOK_SECONDS, MOST, Allowance, Clock, OwnDelay
from bncourse.grading.oracle.remote_errors import (
    Kept,
    KeptDict,
    KeptList,
    KeptTuple,
    StudentError,
    StudentGone,
    StudentLate,
    StudentRefused,
    WorkerMissing,
    error_class,
    is_library,
    pickled,
    torch_of,
)
from bncourse.grading.sandbox.inside.channel import Channel, Gone, Late
from bncourse.grading.sandbox.inside.codec import Decoder, Encoder
from bncourse.grading.sandbox.inside.seen import worst
from bncourse.grading.sandbox.inside.wire_types import MAX_FRAME, Handle, Parts, Tensor, WireError

HELLO_SECONDS = 60.0
MAX_CLASSES, MAX_LENGTH = 100, 1_000_000
"""Kinds of named tuples that a submission may have, and the length that its objects may claim."""
MAX_TRAFFIC = 512 * 2**20
"""Bytes that one test cell may receive."""


class Connection(Decoder):
    """Asks the worker, one request at a time, within allowances of seconds.

    Parameters
    ----------
    descriptor : int
        Of the connection.
    seconds : float
        What all cells together may take.
    process : int, optional
        The worker's, where it has said hello to an earlier connection.
    """

    def __init__(self, descriptor: int, seconds: float = math.inf, process: int | None = None) -> None:
        self.met = process is not None
        self.channel = Channel(descriptor, credentials=not self.met)
        self.clock, self.own = Clock(process or 0), OwnDelay()
        self.in_all = Allowance(seconds, self.clock, self.own)
        self.allowance = Allowance(10.0, self.clock, self.own)
        """For the present cell."""
        self.gradients: frozenset[str] = frozenset()
        """Global functions that give gradients, whose calls are to be watched."""
        self.unwatched: set[str] = set()
        """Those of which no call was watched yet."""
        self.unwatched_here: set[str] = set()
        """Those of which none was that a hidden test of this cell has made."""
        self.watched_later: set[str] = set()
        """Those that hidden lines of this cell name."""
        self.watched_closely: set[str] = set()
        """Those of which one was watched line by line."""
        self.measured: dict[str, str] = {}
        """Functions that were seen to measure what they return, and how."""
        self.received = 0
        self.ended: type[BaseException] | None = None
        self.asks_secrets: Callable[[], bool] = lambda: False
        """Says whether a hidden test, or what may depend on one, is asking now."""
        self.secret = False
        """Whether that was ever so: what the student's code tells of itself must be withheld from then on."""
        self.freed: list[int] = []
        self.leaves: list[Any] = []
        """Tensors that wanted gradients in the request that is on its way."""
        self.callbacks: dict[int, Callable[..., Any]] = {}
        self.classes: dict[int, Any] = {}
        self.encoder = Encoder(self.leave)

    # --- requests ---

    def request(self, operation: str, *arguments: Any) -> Any:
        """Ask, and wait for the answer; returns what follows its first word.

        Raises
        ------
        StudentLate, StudentGone
            If the budget is used up or the process has ended, now or before.
        StudentError, StudentRefused
            If the student's code raised, or returned what cannot cross.
        """
        self.secret = self.secret or self.asks_secrets()
        if len(self.freed) > 100:
            self.free()
        self.leaves = []
        try:
            return self._exchange((operation, *arguments))
        finally:
            self.callbacks.clear()

    def free(self) -> None:
        """Have the other side forget what is no longer known here."""
        numbers, self.freed = self.freed, []
        self._exchange(("free", numbers))

    def begin(self, seconds: float, hidden: Collection[str] = ()) -> None:
        """Say how long the requests of the next cell may take, and which names are asked for in its hidden lines."""
        self.allowance, self.received = Allowance(seconds, self.clock, self.own), 0
        self.unwatched_here, self.watched_later = set(self.gradients), set(hidden)

    def transfer(self, data: bytes) -> bytes:
        """Send a request and receive an answer, as long as the allowances last."""
        if not self.met:
            self.meet()
        begun = time.monotonic()
        self.channel.send(data, begun + MOST * self._left())
        while True:
            try:
                answer = self.channel.receive(min(begun + self._left(), time.monotonic() + LOOK_SECONDS))
                break
            except Late:
                self.clock.look()
                if (waited := time.monotonic() - begun) >= self._left():
                    self._spend(waited)
                    begun = time.monotonic()
        self._spend(time.monotonic() - begun)
        return answer

    def meet(self) -> None:
        """Wait for the worker's hello, which says which process it is; that it starts is no time of the student's."""
        try:
            self.channel.receive(time.monotonic() + HELLO_SECONDS)
        except (Late, Gone, WireError) as error:
            raise WorkerMissing("the student's process did not start") from error
        self.clock.process, self.met = self.channel.process, True
        self.in_all.begin()
        self.allowance.begin()

    def watch(self, name: str, value: Any) -> None:
        """Have calls of a function watched that has come as a global name, if it is one that gives a gradient."""
        if name in self.gradients and isinstance(value, RemoteFunction):
            vars(value)["_gradient"] = name

    def to_be_watched(self, name: str) -> tuple[str, bool]:
        """The name, if its next call is to be watched, and whether closely.

        In each cell the first call of a hidden test is watched: a function may know what a visible test asks, and
        answer that from memory. Where a cell's hidden lines do not name the function, its first call of all is. Of
        the hidden tests' calls the first is watched closely.
        """
        hidden = name in self.unwatched_here and self.asks_secrets()
        due = hidden or (name in self.unwatched and name not in self.watched_later)
        closely = hidden and name not in self.watched_closely
        if closely:
            self.watched_closely.add(name)
        if due:
            self.unwatched.discard(name)
        if hidden:
            self.unwatched_here.discard(name)
        return (name if due else ""), closely

    def see(self, name: str, how: str) -> None:
        """Note how a function was seen to find a gradient; the worst counts."""
        self.measured[name] = worst([how, self.measured.get(name, "")])

    def close(self) -> None:
        """Let go of what the allowances need; the connection itself stays open."""
        self.own.close()

    def _left(self) -> float:
        return min(self.in_all.left, self.allowance.left)

    def _spend(self, seconds: float) -> None:
        """Take what was waited off the allowances; raises Late where one is used up."""
        for allowance in (self.in_all, self.allowance):
            allowance.wall += seconds
            if allowance.left <= LEAST and not allowance.extend():
                raise Late

    def _exchange(self, request: Any) -> Any:
        if self.ended is not None:
            raise self.ended
        answer = self._ask(request)
        while answer[0] == "callback":
            answer = self._ask(self._call_back(*answer[1:]))
        if answer[0] == "raised":
            raise self._error(*answer[1:5])
        if answer[0] == "refused":
            raise StudentRefused(str(answer[1]))
        return answer

    def _ask(self, message: Any) -> tuple[Any, ...]:
        data = self.encoder.encode(message)
        try:
            answer = self.transfer(data)
        except Late:
            self.end(StudentLate)
        except Gone:
            self.end(StudentGone)
        except WireError as error:
            self.ended = StudentGone
            raise StudentRefused(str(error)) from None
        self.received += len(answer)
        if self.received > MAX_TRAFFIC:
            self.end(StudentLate)
        try:
            value = self.decode(answer)
            if not (type(value) is tuple and value and type(value[0]) is str and len(value) >= 1):
                raise WireError("malformed message")
        except WireError as error:
            raise StudentRefused(str(error)) from None
        return value

    def end(self, how: type[BaseException]) -> NoReturn:
        """Answer nothing from now on."""
        self.ended = how
        raise how

    def _call_back(self, number: Any, args: Any, kwargs: Any) -> tuple[str, Any]:
        try:
            answer = ("value", self.callbacks[number](*args, **kwargs))
            self.encoder.encode(answer)
        except Exception as error:
            told = str(error) if getattr(error, "public", False) else "the function that the test handed over raised"
            answer = ("raised", f"{type(error).__name__}: {told}")
        return answer

    def _error(self, names: Any, message: Any, cell: Any, line: Any) -> Exception:
        known = [n for n in names if type(n) is str and isinstance(getattr(builtins, n, None), type)]
        plain = [n for n in known if issubclass(getattr(builtins, n), Exception) and not n.startswith("Unicode")]
        name = plain[0] if plain else "Exception"
        error: StudentError = error_class(name)(str(message)[:500])
        error.cell, error.line = str(cell)[:100], int(line)
        return error

    # --- what crosses ---

    def leave(self, value: Any) -> Any:
        """Say how a value that is not plain goes to the worker."""
        if isinstance(value, Remote):
            return Handle(object.__getattribute__(value, "_number"), "", "")
        if isinstance(value, Kept):
            return Handle(value.remote_number, "", "")
        torch = torch_of(value)
        if torch is not None:
            plain = value.detach()
            plain = plain.float() if plain.dtype == torch.bfloat16 else plain
            number = getattr(value, "_remote_number", 0) if value.is_leaf else 0
            if value.requires_grad and not number:
                self.leaves.append(value)
            return Tensor(number, str(value.dtype), bool(value.requires_grad), plain.numpy(), None)
        fields = getattr(type(value), "_fields", None)
        if isinstance(value, tuple) and fields is not None:
            return Parts(getattr(type(value), "_remote_number", 0), type(value).__name__, fields, tuple(value))
        if callable(value) and not is_library(value):
            self.callbacks[len(self.callbacks) + 1] = value
            return Handle(len(self.callbacks), "callback", "")  # its name may say what it is
        return pickled(value)

    def handle(self, number: int, kind: str, name: str) -> Any:
        """Return the stand-in for something that stays with the student."""
        made = {"function": RemoteFunction, "class": RemoteClass, "callable": RemoteFunction}.get(kind, Remote)
        return made(self, number, name)

    def parts(self, number: int, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
        """Return a named tuple, or a copy of a dict, list or tuple of the student's own kind."""
        if name.startswith("=") and len(values) == 1:
            kinds: dict[type, Any] = {dict: KeptDict, list: KeptList, tuple: KeptTuple}
            if type(values[0]) not in kinds:
                raise WireError("malformed message (parts)")
            kept = kinds[type(values[0])](values[0])
            kept.remote_number = number
            return kept
        if number not in self.classes:
            if len(self.classes) >= MAX_CLASSES:
                raise WireError("the value holds too many kinds of named tuples")
            made = type(super().parts(0, name, fields, values))
            made._remote_number = number
            self.classes[number] = made
        if len(values) != len(self.classes[number]._fields):
            raise WireError("malformed message (parts)")
        return tuple.__new__(self.classes[number], values)

    def tensor(self, number: int, dtype: str, wants_grad: bool, array: Any, grad: Any) -> Any:
        """Return a tensor; one that wants gradients asks the worker for them when it is differentiated."""
        import torch

        from bncourse.grading.oracle.torch_proxies import from_student

        kind = getattr(torch, dtype.removeprefix("torch."), None)
        if not isinstance(kind, torch.dtype) or array.size * kind.itemsize > MAX_FRAME:
            raise WireError("malformed message (tensor)")
        made = torch.from_numpy(array).to(kind)
        return from_student(self, made, number, grad) if wants_grad else made


class Remote:
    """Stands for an object of the student's."""

    def __init__(self, connection: Connection, number: int, name: str) -> None:
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
        raise TypeError("an object of the student's is not an array")

    def __bool__(self) -> bool:
        raise TypeError("an object of the student's has no truth value here")

    def __del__(self) -> None:
        self._connection.freed.append(self._number)


class RemoteFunction(Remote):
    """Stands for a function; after a call `mutated_arguments` names the arrays that it changed in place."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it with copies of the arguments."""
        name, closely = self._connection.to_be_watched(vars(self).get("_gradient", ""))
        how = (closely,) if name else ()
        answer = self._connection.request("watch" if name else "call", self, args, kwargs, *how)
        if name and answer[3:4] and type(answer[3]) is list and worst(answer[3]):
            self._connection.see(name, worst(answer[3]))
        vars(self)["mutated_arguments"] = tuple(str(name)[:100] for name in answer[2])
        return answer[1]

    def vjp(self, inputs: Sequence[Any], cotangent: Any) -> tuple[Any, ...]:
        """The vector-Jacobian product of a function of PyTorch tensors, taken where the student's code runs."""
        import torch

        leaves = [value.detach().clone().requires_grad_(True) for value in inputs]
        return torch.autograd.grad(self(*leaves), leaves, cotangent, allow_unused=True)


def named(name: str, value: Any) -> Any:
    """Call a function by the name that it was asked for by, not by one that the student's process has said."""
    if type(value) is RemoteFunction:
        vars(value)["__name__"] = name
    return value


class RemoteClass(RemoteFunction):
    """Stands for a class: calling it makes an object that stays with the student."""

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Remote) and bool(self._connection.request("instance", value, self)[1])
