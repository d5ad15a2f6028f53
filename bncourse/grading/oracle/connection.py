"""Requests to the worker in; its answers out, within allowances of seconds and bytes.

Arrays, numbers and strings cross as copies. For anything else the answer holds a proxy, which asks through here.
"""

import math
import time
from collections.abc import Callable, Collection
from typing import Any, NoReturn

from bncourse.grading.oracle.patience import LOOK_SECONDS, MOST, Allowance, Clock, OwnDelay
from bncourse.grading.oracle.proxies import Remote, RemoteClass, RemoteFunction
from bncourse.grading.oracle.remote_errors import (
    RAISED_HERE,
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
from bncourse.grading.oracle.watched_calls import WatchedCalls
from bncourse.grading.sandbox.inside.channel import Channel, Gone, Late
from bncourse.grading.sandbox.inside.codec import Decoder, Encoder
from bncourse.grading.sandbox.inside.wire_types import MAX_FRAME, Handle, Parts, Tensor, WireError

HELLO_SECONDS = 60.0
MAX_CLASSES = 100
"""Kinds of named tuples that a submission may have."""
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
        self.watched = WatchedCalls()
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
        self.watched.begin(hidden)

    def transfer(self, data: bytes) -> bytes:
        """Send a request and receive an answer, as long as the allowances last."""
        if not self.met:
            self.meet()
        now = begun = time.monotonic()
        left = self._left()
        self.channel.send(data, begun + MOST * left)
        while True:
            try:
                answer = self.channel.receive(min(begun + left, now + LOOK_SECONDS))
                break
            except Late:
                self.clock.look()
                now = time.monotonic()
                if now - begun >= left:
                    self._spend(now - begun)
                    begun, left = now, self._left()
                for allowance in (self.in_all, self.allowance):
                    allowance.begin(now - begun)
        self._spend(time.monotonic() - begun)
        return answer

    def meet(self) -> None:
        """Wait for the worker's hello, which says which process it is; that it starts is no time of the student's."""
        try:
            self.channel.receive(time.monotonic() + HELLO_SECONDS)
        except (Late, Gone, WireError) as error:
            raise WorkerMissing("the student's process did not start") from error
        self.clock.process, self.met = self.channel.process, True

    def close(self) -> None:
        """Let go of what the allowances need; the connection itself stays open."""
        self.own.close()

    def _left(self) -> float:
        return min(self.in_all.left, self.allowance.left)

    def _spend(self, seconds: float) -> None:
        """Take what was waited off the allowances; raises Late where one is used up."""
        for allowance in (self.in_all, self.allowance):
            if not allowance.spend(seconds):
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
        name = next((n for n in names if type(n) is str and n in RAISED_HERE), "Exception")
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
        """Return the proxy of something that stays with the student."""
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
