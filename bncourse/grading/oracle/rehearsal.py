"""A compiled master in; an oracle out that has run every path once, so that its forks run them fast.

Then the same with a slip in every function, for the roads on which a wrong answer is explained. The other side is the
code of the worker, in a fork of this process: the solution is the master's, so it is trusted.
"""

import contextlib
import os
import signal
import socket
import sys
from typing import Any

from bncourse.grading.engine.attempt import Phase, Plan
from bncourse.grading.engine.preflight import own_solution
from bncourse.grading.oracle.compiled_master import Prepared
from bncourse.grading.oracle.proxies import Connection
from bncourse.grading.sandbox.inside.channel import Gone
from bncourse.grading.sandbox.inside.worker import Worker
from bncourse.grading.submissions.read import Reading

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
        `session.Session`.
    """
    right = own_solution(prepared.master)
    wrong = right._replace(answers={name: source + SLIP for name, source in right.answers.items()})
    passes = [*_passes(prepared, right, ("preview", "grade")), *_passes(prepared, wrong, ("grade",))]
    pairs = [socket.socketpair() for _ in passes]
    peer = os.fork()
    if peer == 0:
        _answer(pairs)
    try:
        for (job, part), (ours, theirs) in zip(passes, pairs, strict=True):
            theirs.close()
            session(prepared, job, part, Connection(ours.fileno()), Silence()).run()
            ours.close()
    finally:
        os.kill(peer, signal.SIGKILL)
        os.waitpid(peer, 0)
        for end in (end for pair in pairs for end in pair):
            end.close()


def _passes(prepared: Prepared, reading: Reading, phases: tuple[Phase, ...]) -> list[tuple[dict[str, Any], Any]]:
    """Orders as the supervisor would give them, with the part of each that one session takes."""
    job = Plan(prepared.master, reading).job(0, phases=phases)
    return [(job, part) for part in job["passes"]]


def _answer(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    """Serve one pass after the other, so that what is loaded for one is there for the next."""
    try:
        for ours, _ in pairs:
            ours.close()
        signal.alarm(0)
        sys.setrecursionlimit(1000)
        for _, theirs in pairs:
            with contextlib.suppress(Gone):
                Worker(theirs.fileno()).serve()
    finally:
        os._exit(0)
