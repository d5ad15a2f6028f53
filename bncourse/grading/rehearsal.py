"""Take the master's own solution through the oracle's whole path once, so that its forks find every road trodden.

The other side is the code of the worker, in a fork of this process: the solution is the master's, so it is trusted.
"""

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
SECONDS = 5.0


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
    phases: tuple[Phase, ...] = ("show", "mark")
    job = Plan(prepared.master, own_solution(prepared.master)).job(0, phases=phases) | {"record": True}
    for part in job["passes"] * ROUNDS:
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
            os.kill(peer, signal.SIGKILL)


def _answer(ours: socket.socket, theirs: socket.socket) -> None:
    try:
        ours.close()
        signal.alarm(0)
        sys.setrecursionlimit(1000)
        Worker(theirs.fileno()).serve()
    finally:
        os._exit(0)
