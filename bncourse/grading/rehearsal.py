"""Take the master's own solution through the oracle's whole path once, so that its forks find every road trodden.

Then the same with a slip in every function, for the roads on which a wrong answer is explained. The other side is the
code of the worker, in a fork of this process: the solution is the master's, so it is trusted.
"""

import contextlib
import os
import signal
import socket
import sys
from typing import Any

from bncourse.grading.inside.worker import Worker
from bncourse.grading.plan import Phase, Plan
from bncourse.grading.prepared import Prepared
from bncourse.grading.transcript import Recording
from bncourse.grading.trial import own_solution

ROUNDS = 3
SLIP = """
def _slipped(value):
    if isinstance(value, tuple) and value:
        return (_slipped(value[0]), *value[1:])
    return 1.25 * value if hasattr(value, "dtype") else value
def _slip(function):
    def slip(*args, **kwargs):
        return _slipped(function(*args, **kwargs))
    return slip
for _name, _value in list(globals().items()):
    if getattr(_value, "__code__", _slip.__code__).co_name not in ("_slipped", "_slip", "slip"):
        globals()[_name] = _slip(_value)
"""
"""Scales the first array that each of the student's functions returns."""


class Silence:
    """Takes reports, and does nothing with them."""

    def send(self, data: bytes, deadline: float = 0.0) -> None:
        """Throw a report away."""


def rehearse(prepared: Prepared, session: Any) -> None:
    """Run sessions as the supervisor would order them, and throw their reports away.

    Parameters
    ----------
    prepared : Prepared
        The master.
    session : type
        `oracle.Session`.
    """
    right = own_solution(prepared.master)
    wrong = right._replace(answers={name: source + SLIP for name, source in right.answers.items()})
    for reading, rounds in ((right, ROUNDS), (wrong, 1)):
        phases: tuple[Phase, ...] = ("show", "mark") if reading is right else ("mark",)
        job = Plan(prepared.master, reading).job(0, phases=phases) | {"record": True}
        for part in job["passes"] * rounds:
            _run(prepared, session, job, part)


def _run(prepared: Prepared, session: Any, job: dict[str, Any], part: dict[str, Any]) -> None:
    """One pass against a worker of its own."""
    ours, theirs = socket.socketpair()
    peer = os.fork()
    if peer == 0:
        _answer(ours, theirs)
    theirs.close()
    connection = Recording(ours.fileno())
    try:
        session(prepared, job, part, connection, Silence()).run()
    finally:
        ours.close()
        with contextlib.suppress(ProcessLookupError):  # where nobody waits for children, it is gone at once
            os.kill(peer, signal.SIGKILL)


def _answer(ours: socket.socket, theirs: socket.socket) -> None:
    try:
        ours.close()
        signal.alarm(0)
        sys.setrecursionlimit(1000)
        Worker(theirs.fileno()).serve()
    finally:
        os._exit(0)
