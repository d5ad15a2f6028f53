"""Masters and jobs in; verdicts out: the process of the trusted compartment.

One oracle serves one lane of the grader. It keeps the masters it was given, loaded and compiled, and forks; a fork
takes one submission after the other, each with names, proxies and random numbers of its own, until it finds changed
what they share. So nothing that happens here over one submission is there for the next.
"""

import contextlib
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from bncourse.grading.core.records import Master
from bncourse.grading.oracle.compiled_master import CompiledMaster
from bncourse.grading.oracle.connection import Connection
from bncourse.grading.oracle.messages import JOB, MASTER, TWIN
from bncourse.grading.oracle.rehearsal import rehearse
from bncourse.grading.oracle.session import Session, one_line
from bncourse.grading.sandbox.inside.channel import Channel, Gone, Late
from bncourse.grading.sandbox.inside.surroundings import Surroundings

MAX_SUBMISSIONS = 50
"""What one fork takes, even if it finds nothing changed."""
REPORT_SECONDS = 0.1
"""How long a verdict may wait for others before it is reported."""
GROWTH = 768 * 2**20
"""Bytes that a fork may grow by."""
MAX_DESCRIPTORS = 3
"""A connection to the student's process, where that says which statement is running, and a connection for reports."""


class Oracle:
    """Serves a supervisor.

    Parameters
    ----------
    control : socket
        Where its orders come from.
    twins : socket
        Where it is told to fork another oracle, which it does even while one of its forks takes a job.
    """

    def __init__(self, control: socket.socket, twins: socket.socket) -> None:
        self.masters: dict[str, CompiledMaster] = {}
        self.listen(control, twins)

    def listen(self, control: socket.socket, twins: socket.socket) -> None:
        """Take orders from here from now on."""
        self.control, self.channel, self.twins = control, Channel(control.fileno(), ahead=False), twins
        control.setblocking(True)

    def serve(self) -> None:
        """Learn masters, and have forks take the jobs, until the supervisor goes away."""
        self.channel.send(str(os.getpid()).encode())
        while True:
            self.wait_for(self.control.fileno())
            order = self.next_order()
            if order == MASTER:
                self.learn()
            elif order == JOB:
                self.fork_for_jobs()
            else:
                return

    def wait_for(self, descriptor: int) -> None:
        """Wait until there is something to read; fork the twins that are ordered meanwhile."""
        while descriptor not in (ready := select.select([descriptor, self.twins.fileno()], [], [])[0]):
            if ready:
                self.split()

    def split(self) -> None:
        """Fork another oracle, which knows what this one knows."""
        order, descriptors, _, _ = socket.recv_fds(self.twins, 1, 2)
        if order != TWIN:
            raise Gone
        if os.fork() == 0:
            try:
                self.control.close()
                self.twins.close()
                self.listen(*(socket.socket(fileno=descriptor) for descriptor in descriptors))
                self.serve()
            finally:
                os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)

    def fork_for_jobs(self) -> None:
        """Have a fork take jobs, and wait until it has ended."""
        fork = os.fork()
        if fork == 0:
            try:
                self.take_jobs()
            finally:
                os._exit(0)
        ended = os.pidfd_open(fork)
        self.wait_for(ended)
        os.close(ended)
        os.waitpid(fork, 0)

    def next_order(self) -> bytes:
        """What is ordered next, which stays where it is; nothing at the end."""
        try:
            return self.control.recv(1, socket.MSG_PEEK)
        except ConnectionResetError:
            return b""

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """Take an order in."""
        _, descriptors, _, _ = socket.recv_fds(self.control, 1, MAX_DESCRIPTORS)
        return json.loads(self.channel.receive()), descriptors

    def learn(self) -> None:
        """Get a master ready, for all forks that are to come."""
        message, _ = self.receive()
        self.masters[message["key"]] = prepared = CompiledMaster(Master.deserialized(message["master"]))
        rehearse(prepared)
        gc.collect()
        gc.freeze()
        gc.enable()
        self.channel.send(b"known")

    def take_jobs(self) -> None:
        """Take jobs, in a fork, as long as one finds what the one before it has found."""
        signal.signal(signal.SIGALRM, _ignore)
        limit_memory()
        shared = Shared()
        for _ in range(MAX_SUBMISSIONS):
            if self.next_order() != JOB:
                return
            job, descriptors = self.receive()
            sound = take_through(self.masters[job["key"]], job, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            if not sound or not shared.unchanged():
                return


def limit_memory() -> None:
    """Let this process grow by some memory and no more, whatever a student's values become here."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + GROWTH
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


class Shared:
    """What the submissions that one process takes have in common, as it was when this was made."""

    def __init__(self) -> None:
        self.surroundings = Surroundings()
        self.rest = self.look()

    def unchanged(self) -> bool:
        """Whether all is as it was; open figures are closed first."""
        with contextlib.suppress(Exception):
            pyplot = sys.modules.get("matplotlib.pyplot")
            if pyplot is not None:
                pyplot.close("all")
            return not self.surroundings.grown() and self.surroundings.unchanged() and self.look() == self.rest
        return False

    def look(self) -> tuple[Any, ...]:
        """What matters on this side only."""
        return os.getcwd(), np.get_printoptions()  # noqa: PTH109  (five times as fast)


def take_through(prepared: CompiledMaster, job: dict[str, Any], descriptors: list[int]) -> bool:
    """Take one submission through the passes of a job; returns whether this process can take another one.

    Parameters
    ----------
    prepared : CompiledMaster
        The master.
    job : dict
        The passes, and what they need.
    descriptors : list of int
        See `MAX_DESCRIPTORS`; the last is the one for reports.
    """
    reports, sound = Channel(descriptors[-1]), True
    process: int | None = None
    try:
        signal.setitimer(signal.ITIMER_REAL, REPORT_SECONDS, REPORT_SECONDS)
        for left, part in enumerate(job["passes"], start=1 - len(job["passes"])):
            connection = Connection(descriptors[0], part["seconds"], process)
            session = Session(prepared, job, part, connection, reports, descriptors[1])
            signal.signal(signal.SIGALRM, session.on_timer)
            session.tell(pid=os.getpid())
            followed = session.run(followed=left < 0)
            process, sound = connection.clock.process, sound and session.sound
            connection.close()
            if not followed:
                break
    except BaseException as error:
        sound = False
        with contextlib.suppress(BaseException):
            signal.setitimer(signal.ITIMER_REAL, 0)
            reports.send(json.dumps([{"failed": one_line(error)}]).encode(), time.monotonic() + 5)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, _ignore)
    return sound


def _ignore(*_: Any) -> None:
    """Let the timer ring."""


def main() -> None:
    """Serve the supervisor at the sockets that the last two arguments name."""
    warnings.simplefilter("ignore")
    gc.disable()  # for as long as libraries load, which takes a fifth less then
    with contextlib.suppress(Gone, Late):
        Oracle(*(socket.socket(fileno=int(number)) for number in sys.argv[-2:])).serve()


if __name__ == "__main__":
    main()
