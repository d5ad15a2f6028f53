"""Stand-ins in the trusted compartment for a student's functions, classes, values and objects in the other.

Arrays, numbers and strings arrive as copies. Anything else stays where it is, and the stand-in asks for its
attributes and items, calls it, and hands it back. A stand-in is never equal to anything, has no truth value and
no array protocol, so that no comparison is decided by the student's code.
"""

import builtins
import pickle
import time
from collections.abc import Callable, Iterator
from typing import Any

from bncourse.grading.inside.pipe import Channel, Gone, Late
from bncourse.grading.inside.wire import Decoder, Encoder, Handle, Parts, Pickled, Tensor, WireError

PICKLED_MODULES = (
    "numpy",
    "random",
    "datetime",
    "decimal",
    "fractions",
    "collections",
    "builtins",
    "functools",
    "operator",
)
MAX_TRAFFIC = 512 * 2**20
"""Bytes that one test cell may receive."""


class StudentError(Exception):
    """Something that the student's code raised; the class made for it is also the built-in one of that name."""

    cell = ""
    line = 0


class StudentLate(BaseException):
    """The student's code has used up its time; not an Exception, so that no test swallows it."""


class StudentGone(BaseException):
    """The student's process has ended."""


class StudentRefused(Exception):
    """The student's code returned something that cannot cross the border."""


class Connection(Decoder):
    """Asks the worker, one request at a time, within a budget of seconds."""

    def __init__(self, descriptor: int) -> None:
        self.channel = Channel(descriptor)
        self.left = 10.0
        self.received = 0
        self.ended: type[BaseException] | None = None
        self.discreet: Callable[[], bool] = lambda: False
        """Says whether what the student's code tells of itself must be withheld: inside hidden tests."""
        self.progress: Callable[[int, int], None] = lambda index, line: None
        self.freed: list[int] = []
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
        if len(self.freed) > 100:
            numbers, self.freed = self.freed, []
            self._exchange(("free", numbers))
        try:
            return self._exchange((operation, *arguments))
        finally:
            self.callbacks.clear()

    def _exchange(self, request: Any) -> Any:
        if self.ended is not None:
            raise self.ended
        answer = self._ask(request)
        while answer[0] in ("at", "callback"):
            if answer[0] == "at":
                self.progress(int(answer[1]), int(answer[2]))
                answer = self._ask(None)
            else:
                answer = self._ask(self._call_back(*answer[1:]))
        if answer[0] == "raised":
            raise self._error(*answer[1:5])
        if answer[0] == "refused":
            raise StudentRefused(str(answer[1]))
        return answer

    def _ask(self, message: Any) -> tuple[Any, ...]:
        data = None if message is None else self.encoder.encode(message)
        start = time.monotonic()
        try:
            if data is not None:
                self.channel.send(data, start + self.left)
            answer = self.channel.receive(start + self.left)
        except Late:
            self._end(StudentLate)
        except Gone:
            self._end(StudentGone)
        except WireError as error:
            self.ended = StudentGone
            raise StudentRefused(str(error)) from None
        self.left -= time.monotonic() - start
        self.received += len(answer)
        if self.received > MAX_TRAFFIC or self.left <= 0:
            self._end(StudentLate)
        try:
            value = self.decode(answer)
            if not (type(value) is tuple and value and type(value[0]) is str and len(value) >= 1):
                raise WireError("malformed message")
        except WireError as error:
            raise StudentRefused(str(error)) from None
        return value

    def _end(self, how: type[BaseException]) -> None:
        self.ended = how
        raise how

    def _call_back(self, number: Any, args: Any, kwargs: Any) -> tuple[str, Any]:
        start = time.monotonic()
        try:
            answer = ("value", self.callbacks[number](*args, **kwargs))
            self.encoder.encode(answer)
        except Exception as error:
            answer = ("raised", f"{type(error).__name__}: the function that the test handed over raised")
        self.left -= time.monotonic() - start
        return answer

    def _error(self, names: Any, message: Any, cell: Any, line: Any) -> Exception:
        known = [n for n in names if type(n) is str and isinstance(getattr(builtins, n, None), type)]
        plain = [n for n in known if issubclass(getattr(builtins, n), Exception) and not n.startswith("Unicode")]
        name = plain[0] if plain else "Exception"
        made = _error_class(name)
        discreet = self.discreet()
        error: StudentError = made("" if discreet else str(message)[:500])
        error.cell, error.line = str(cell)[:100], int(line)
        return error

    # --- what crosses ---

    def leave(self, value: Any) -> Any:
        """Say how a value that is not plain goes to the worker."""
        if isinstance(value, Remote):
            return Handle(object.__getattribute__(value, "_number"), "", "")
        if isinstance(value, _Kept):
            return Handle(value.remote_number, "", "")
        torch = _torch(value)
        if torch is not None:
            plain = value.detach()
            plain = plain.float() if plain.dtype == torch.bfloat16 else plain
            number = getattr(value, "_remote_number", 0)
            return Tensor(number, str(value.dtype), bool(value.requires_grad), plain.numpy())
        fields = getattr(type(value), "_fields", None)
        if isinstance(value, tuple) and fields is not None:
            return Parts(getattr(type(value), "_remote_number", 0), type(value).__name__, fields, tuple(value))
        if callable(value) and not _library(value):
            self.callbacks[len(self.callbacks) + 1] = value
            return Handle(len(self.callbacks), "callback", getattr(value, "__name__", ""))
        return _pickled(value)

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
            made = type(super().parts(0, name, fields, values))
            made._remote_number = number
            self.classes[number] = made
        if len(values) != len(self.classes[number]._fields):
            raise WireError("malformed message (parts)")
        return tuple.__new__(self.classes[number], values)

    def tensor(self, number: int, dtype: str, wants_grad: bool, array: Any) -> Any:
        """Return a tensor without a graph; it remembers its original."""
        import torch

        made = torch.from_numpy(array).to(getattr(torch, dtype.removeprefix("torch.")))
        if wants_grad:
            made.requires_grad_(True)
            made._remote_number = number  # type: ignore[attr-defined]
        return made


class _Kept:
    remote_number = 0


class KeptDict(_Kept, dict[Any, Any]):
    """A copy of a mapping of the student's own class, which goes back as the original."""


class KeptList(_Kept, list[Any]):
    """A copy of a list of the student's own class."""


class KeptTuple(_Kept, tuple[Any, ...]):
    """A copy of a tuple of the student's own class."""


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
        return int(self._connection.request("length", self)[1])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._connection.request("items", self)[1])

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
        answer = self._connection.request("call", self, args, kwargs)
        vars(self)["mutated_arguments"] = tuple(str(name)[:100] for name in answer[2])
        return answer[1]


class RemoteClass(RemoteFunction):
    """Stands for a class: calling it makes an object that stays with the student."""

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Remote) and bool(self._connection.request("instance", value, self)[1])


_error_classes: dict[str, Any] = {}


def _error_class(name: str) -> Any:
    if name not in _error_classes:
        base = getattr(builtins, name)
        _error_classes[name] = type(name, (StudentError,) if base is Exception else (StudentError, base), {})
    return _error_classes[name]


def _library(value: Any) -> bool:
    """Whether it is a class or function that the worker has as well."""
    if isinstance(value, type):
        return value.__module__.split(".")[0] in PICKLED_MODULES
    return type(value).__module__ == "numpy" or type(value).__name__ == "builtin_function_or_method"


def _pickled(value: Any) -> Any:
    if not _library(value) and type(value).__module__.split(".")[0] not in PICKLED_MODULES:
        raise TypeError(f"a test cannot hand a {type(value).__name__} to a student's function")
    return Pickled(pickle.dumps(value))


def _torch(value: Any) -> Any:
    if type(value).__module__.split(".")[0] != "torch":
        return None
    import torch

    return torch if isinstance(value, torch.Tensor) else None
