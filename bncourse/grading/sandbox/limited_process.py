"""Functions of the grader's own in; what they return for a student's text out, from a process that can be ended.

Python holds its one lock while it searches a text, parses it or decodes it, so where the grader itself reads what a
student wrote, one slow pattern would hold up the class, and nothing in that process could end it. Here the reading
runs in a process of its own, with a limit of processor time and of memory for each call. The kernel keeps the limits,
whatever the process is at.

The process is forked, so what the functions need is there already. A second one stands between it and the grader: it
runs nothing but forks, so that a call that was ended costs only the next fork, even when the grader has many threads.
"""

import contextlib
import copyreg
import gc
import json
import math
import os
import pickle
import resource
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bncourse.grading.core.closing import Closing
from bncourse.grading.sandbox.inside.channel import Channel, Gone, Late
from bncourse.grading.sandbox.inside.wire_types import WireError

SECONDS = 4
"""Processor time of one call."""
PATIENCE = 60.0
"""Seconds by the clock, for a call that waits and does not compute, such as for a disk that is gone."""
MEMORY = 2**30
"""Bytes of address space that a call may add to those of the fork."""
KEPT = 2**28
"""Bytes that the process may have grown by when it takes another call; with more, a new one is forked."""
_PAGE = resource.getpagesize()


def read_only(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    """Make a mapping that nobody changes; pickle finds this by its name, and not the type."""
    return MappingProxyType(mapping)


copyreg.pickle(MappingProxyType, lambda mapping: (read_only, (dict(mapping),)))


class CallEnded(Exception):
    """A call was ended, or failed; the message says why, in words that may follow "it cannot be read"."""

    def __init__(self, why: str, *, for_good: bool = True) -> None:
        super().__init__(why)
        self.for_good = for_good
        """Whether the same call will fail again; false where this machine may have been at fault."""


class LimitedProcess(Closing):
    """Calls functions in a process of their own; use it as a context manager.

    Parameters
    ----------
    functions : mapping of str to callable
        What can be called, by name. Arguments and results are pickled; the functions themselves are forked.
    seconds : int
        Processor time of one call.
    patience : float
        Seconds of one call by the clock.
    memory : int
        Bytes of address space that a call may add.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        *,
        seconds: int = SECONDS,
        patience: float = PATIENCE,
        memory: int = MEMORY,
    ) -> None:
        self.functions, self.seconds, self.patience, self.memory = dict(functions), seconds, patience, memory
        self.forked = 0
        """How many processes have taken calls."""
        self._guard = threading.Lock()
        self._forker = 0
        self._orders: socket.socket | None = None
        self._calls: socket.socket | None = None
        self._pid = 0

    def close(self) -> None:
        """End the processes."""
        with self._guard:
            self._drop()
            if self._orders is not None:
                self._orders.close()
                self._orders = None
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(self._forker, 0)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function by its name.

        Raises
        ------
        CallEnded
            If it took more than its limits, ended its process, or raised an exception.
        """
        with self._guard:
            calls, deadline = Channel(self._open().fileno()), time.monotonic() + self.patience
            try:
                calls.send(pickle.dumps((name, arguments)), deadline)
                done, value, last = pickle.loads(calls.receive(deadline))  # noqa: S301  (from the grader's own fork)
            except Late:
                self._kill()
                raise CallEnded(f"it did not end within {self.patience:g} seconds", for_good=False) from None
            except WireError as error:
                self._kill()
                raise CallEnded(str(error)) from None
            except Gone:
                raise self._ended() from None
            if last:
                self._drop()
        if not done:
            raise CallEnded(value)
        return value

    def _open(self) -> socket.socket:
        """The connection to a process that takes calls."""
        if self._calls is None:
            self._fork()
        if self._calls is None:
            raise CallEnded("the process that reads it does not start", for_good=False)
        return self._calls

    def _fork(self) -> int:
        """Have a process forked that takes calls; returns the status with which the one before has ended."""
        for _ in range(2):
            with contextlib.suppress(OSError, ValueError):
                orders = self._orders or self._start()
                orders.send(b"f")
                said, descriptors, _, _ = socket.recv_fds(orders, 100, 1)
                facts = json.loads(said)
                self._pid, self._calls = facts["pid"], socket.socket(fileno=descriptors[0])
                self.forked += 1
                return int(facts["ended"])
            self._orders = None  # the process that forks was killed: another one is forked from here
        return 0

    def _start(self) -> socket.socket:
        """Fork the process that forks; returns where it takes orders."""
        self._orders, theirs = socket.socketpair()
        self._forker = os.fork()
        if self._forker == 0:
            try:
                _leave_alone(theirs.fileno())
                _fork_on_order(theirs, self.functions, self.seconds, self.memory)
            finally:
                os._exit(0)
        theirs.close()
        return self._orders

    def _ended(self) -> CallEnded:
        """Why the process has ended in the middle of a call."""
        self._drop()
        number = -os.waitstatus_to_exitcode(self._fork())
        if number == signal.SIGXCPU:
            return CallEnded(f"it took more than {self.seconds} seconds of processor time")
        if number == signal.SIGKILL:
            return CallEnded("its process was killed, as by a machine short of memory", for_good=False)
        return CallEnded(f"it ended its process ({signal.Signals(number).name if number > 0 else -number})")

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._drop()

    def _drop(self) -> None:
        """Let the process go that takes calls; it ends when it sees that."""
        if self._calls is not None:
            self._calls.close()
            self._calls = None


def _leave_alone(own: int) -> None:
    """Let go of what belongs to the grader: its open files and sockets, its signals, its garbage."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    warnings.simplefilter("ignore")
    gc.freeze()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
        if number not in (0, 1, 2, own, nowhere):
            with contextlib.suppress(OSError):  # the one that listed them is closed by now
                os.fstat(number)
                os.dup2(nowhere, number, inheritable=False)  # not closed: the number still has an owner here


def _fork_on_order(
    orders: socket.socket, functions: Mapping[str, Callable[..., Any]], seconds: int, memory: int
) -> None:
    """Fork a process for calls whenever one is ordered, and say how the one before it has ended."""
    child = 0
    while orders.recv(1):
        ended = os.waitpid(child, 0)[1] if child else 0
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            try:
                orders.close()
                theirs.close()
                with contextlib.suppress(Gone):
                    _take_calls(Channel(ours.fileno()), functions, seconds, memory)
            finally:
                os._exit(0)
        ours.close()
        socket.send_fds(orders, [json.dumps({"pid": child, "ended": ended}).encode()], [theirs.fileno()])
        theirs.close()


def _take_calls(calls: Channel, functions: Mapping[str, Callable[..., Any]], seconds: int, memory: int) -> None:
    """Take calls until this process has grown too large, or nobody calls any more."""
    size, resident = _size()
    _lower(resource.RLIMIT_AS, size + memory)
    _lower(resource.RLIMIT_CORE, 0)
    last = False
    while not last:
        name, arguments = pickle.loads(calls.receive())  # noqa: S301  (from the grader itself)
        _lower(resource.RLIMIT_CPU, math.ceil(time.process_time()) + seconds)
        try:
            done, value = True, functions[name](*arguments)
        except Exception as error:  # whatever a student's text makes of it
            done, value = False, f"{type(error).__name__}: {error}"[:300]
        last = _size()[1] > resident + KEPT
        calls.send(pickle.dumps((done, value, last)))


def _lower(limit: int, most: int) -> None:
    """Set a soft limit, which must not be above the hard one."""
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _size() -> tuple[int, int]:
    """Bytes of this process: of address space, and of memory."""
    pages = Path("/proc/self/statm").read_text().split()
    return int(pages[0]) * _PAGE, int(pages[1]) * _PAGE
