"""A sandbox's level in; lanes out, each an oracle and its forkservers, kept from submission to submission."""

import contextlib
import itertools
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any, NamedTuple

from bncourse.grading.core.closing import Closing
from bncourse.grading.core.records import Master
from bncourse.grading.oracle.messages import JOB, MASTER, TWIN
from bncourse.grading.oracle.patience import Clock
from bncourse.grading.sandbox import bubblewrap
from bncourse.grading.sandbox.forkserver import START_SECONDS, Forkserver, LaneError, StartError, last_words, spawn
from bncourse.grading.sandbox.inside.channel import Channel, Gone, Late, introduced_pair
from bncourse.grading.sandbox.inside.progress import shared_place
from bncourse.grading.sandbox.inside.wire_types import WireError

__all__ = ["Lane", "LaneError", "Patience", "StartError", "WorkerPool"]

LOOK_SECONDS = 1.0
"""How often one looks at an oracle that reports nothing."""


class Patience(NamedTuple):
    """How long the oracle's next report is waited for."""

    clock: float
    """Seconds by the clock."""
    own: float
    """Seconds of the oracle's own processor time: it breaks off by itself what takes too long, but for one long step,
    as in comparing what a student's values hold."""


class Lane(Closing):
    """Grades one submission at a time.

    Its processes take turns once they are ready, so from then on they share one processor, between which and another
    the kernel would wake them slowly.

    Parameters
    ----------
    level : {"full", "no-filter", "user", "process"}
        The sandbox.
    place : int
        Which of the lanes this is; says which processor it takes.
    others : sequence of Lane
        Lanes that are open. Where one is ready, this one's processes are forked from that one's.
    """

    def __init__(self, level: bubblewrap.Level, place: int = 0, others: Sequence["Lane"] = ()) -> None:
        self.level, self.place, self.others = level, place, others
        processors = sorted(os.sched_getaffinity(0))
        self.cpu = processors[place % len(processors)]
        self.pid = 0
        """The oracle's process for the present submission."""
        self._silent = 0.0
        """Seconds that it has used since its last report."""
        self.numbers = itertools.count(1)
        self.forkservers: dict[tuple[tuple[str, ...], ...], Forkserver] = {}
        self.known: set[str] = set()
        self.ready = False
        self.control, theirs = socket.socketpair()
        self.twins, theirs_too = socket.socketpair()
        self.channel = Channel(self.control.fileno())
        self.orders = threading.Lock()
        self.said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the rest)
        self.oracle: subprocess.Popen[bytes] | None = None
        like = next((lane for lane in others if lane.ready and lane.known), None)
        if like is not None:
            self.known |= like.known
            like._split(theirs, theirs_too)
        else:
            # -P: what lies in the present folder may be a student's, and must not be imported here
            command = [sys.executable, "-P", "-c", "from bncourse.grading.oracle import process; process.main()"]
            threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
            self.oracle = spawn(command, [theirs, theirs_too], {**os.environ, **threads}, self.said)
        theirs.close()
        theirs_too.close()

    def forkserver(self, modules: tuple[str, ...], load: tuple[str, ...]) -> Forkserver:
        """The warm process that may import `modules` and has `load` loaded; started when first asked for."""
        key = (modules, load)
        if key not in self.forkservers or self.forkservers[key].process.poll() is not None:
            found = (lane.forkservers[key] for lane in self.others if key in lane.forkservers)
            like = next(
                (forkserver for forkserver in found if forkserver.ready and forkserver.process.poll() is None), None
            )
            self.forkservers[key] = Forkserver(modules, load, self.level, self.cpu, like)
        return self.forkservers[key]

    def teach(self, master: Master, key: str) -> None:
        """Make the oracle know a master."""
        try:
            if not self.ready:
                os.sched_setaffinity(int(self._hear()), {self.cpu})
                self.ready = True
            if key in self.known:
                return
            self._order(MASTER, {"master": master.serialized, "key": key})
            self._hear()
        except (Gone, Late, LaneError, ProcessLookupError) as error:
            if self.oracle is None:
                raise LaneError("the oracle that this one was to be forked from has ended") from error
            raise StartError(
                f"The grader's trusted process did not start{last_words(self.said)}. Install the package again: "
                "pip install --force-reinstall 'bncourse[grading]'"
            ) from error
        self.known.add(key)

    def _hear(self) -> bytes:
        return self.channel.receive(time.monotonic() + START_SECONDS)

    def _split(self, *controls: socket.socket) -> None:
        try:
            socket.send_fds(self.twins, [TWIN], [control.fileno() for control in controls])
        except OSError as error:
            raise LaneError(f"the oracle has ended ({type(error).__name__})") from error

    def _order(self, kind: bytes, message: dict[str, Any], *descriptors: int) -> None:
        try:
            with self.orders:
                socket.send_fds(self.control, [kind], descriptors) if descriptors else self.control.send(kind)
                self.channel.send(json.dumps(message).encode(), time.monotonic() + 30)
        except (OSError, Gone, Late) as error:
            raise LaneError(f"the oracle has ended ({type(error).__name__})") from error

    def run(
        self, job: dict[str, Any], forkserver: Forkserver, patience: Patience
    ) -> Generator[dict[str, Any], None, None]:
        """Run passes over a submission, one behind the other, in one worker; yields the oracle's reports.

        How the worker ended that cut a pass short is in `last` afterwards.

        Parameters
        ----------
        job : dict
            The master's key, the passes with their steps, the seed.
        forkserver : Forkserver
            Whose fork runs the student's cells.
        patience : Patience
        """
        number = next(self.numbers)
        ours, theirs = introduced_pair()
        place = shared_place()
        reports, reporting = socket.socketpair()
        channel = Channel(reports.fileno())
        self.last: dict[str, Any] = {}
        self.pid = 0
        left, dead, over = len(job["passes"]), False, False
        try:
            forkserver.fork(number, theirs, place, job["cpu_seconds"])
            theirs.close()
            self._order(JOB, job, ours.fileno(), place, reporting.fileno())
            ours.close()
            reporting.close()
            for message in self._reports(channel, patience):
                if message.get("gone") and not over:
                    self.last, over = forkserver.end(number), True
                    if forkserver.lost:  # that was no student's doing
                        raise LaneError("the warm process of the sandbox has ended")
                dead = "dead" in message
                yield message
                if "done" in message:
                    left = 0 if message["alone"] else left - 1
                    if left == 0:
                        return
        except Late:
            yield {"overdue": True, "spent": self._silent}
        except (Gone, WireError) as error:
            raise LaneError("the oracle's process ended") from error
        finally:
            os.close(place)
            for end in (ours, theirs, reporting):
                end.close()
            if not left:
                forkserver.kill(number)
            elif not over:
                self.last = forkserver.end(number)
            if left and not dead:
                self._stop(channel)
            reports.close()

    def _stop(self, channel: Channel) -> None:
        """Kill the fork of the oracle that still reports here, and wait until it cannot take another job."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        try:
            while True:
                channel.receive(time.monotonic() + 10)
        except Late:
            raise LaneError("the oracle's process does not end") from None
        except (Gone, WireError):
            return

    def _hear_next(self, channel: Channel, patience: Patience) -> bytes:
        """The oracle's next reports; raises Late where they do not come in time."""
        begun, clock, self._silent = time.monotonic(), Clock(self.pid), 0.0
        used = clock.used()
        while True:
            try:
                return channel.receive(min(begun + patience.clock, time.monotonic() + LOOK_SECONDS))
            except Late:
                if self.pid:  # before its first report, nothing is a submission's doing
                    self._silent = clock.used() - used
                if time.monotonic() - begun >= patience.clock or self._silent >= patience.own:
                    raise

    def _reports(self, channel: Channel, patience: Patience) -> Iterator[dict[str, Any]]:
        """The oracle's reports on one pass, which come several at a time."""
        while True:
            data = self._hear_next(channel, patience)
            for message in json.loads(data):
                self.pid = message.get("pid", 0) or self.pid
                if "failed" in message:
                    raise LaneError(message["failed"])
                yield message
                if "dead" in message:
                    return

    def close(self) -> None:
        """End all processes of the lane."""
        self.control.close()
        self.twins.close()
        if self.oracle is not None:
            self.oracle.kill()
            self.oracle.wait()
        self.said.close()
        for forkserver in self.forkservers.values():
            forkserver.close()


class WorkerPool:
    """Lanes that are free, for threads that take one each; opened as they are needed."""

    def __init__(self, level: bubblewrap.Level) -> None:
        self.level = level
        self._free: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        self._open: list[Lane] = []
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def one(self) -> Iterator[Lane]:
        """A lane that nobody else has; one in which the grader itself failed is not used again."""
        lane = self._take()
        try:
            yield lane
        except BaseException:
            self.drop(lane)
            raise
        self._free.put(lane)

    def drop(self, lane: Lane) -> None:
        """End a lane's processes, and fork no other from them."""
        with self._guard:
            if lane in self._open:
                self._open.remove(lane)
        lane.close()

    def _take(self) -> Lane:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            with self._guard:
                taken = {lane.place for lane in self._open}
                lane = Lane(self.level, next(place for place in itertools.count() if place not in taken), self._open)
                self._open.append(lane)
            return lane

    def close(self) -> None:
        """End all processes."""
        for lane in self._open:
            lane.close()
        self._open.clear()
