"""One lane of the grader: an oracle and the warm processes beside it, kept between submissions."""

import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import IO, Any, Self

from bncourse.grading import render, sandbox
from bncourse.grading.inside.pipe import Channel, Gone, Late
from bncourse.grading.inside.wire import WireError
from bncourse.grading.records import Master
from bncourse.grading.syscalls import call_filter
from bncourse.grading.transcript import ANSWERS

START_SECONDS = 60.0
MEMORY_MIB, TORCH_MEMORY_MIB, TMP_MIB = 512, 3072, 16


class LaneError(RuntimeError):
    """A process of ours failed while it graded a submission."""


class StartError(sandbox.GraderError):
    """A process of ours does not start: nothing can be graded, and nothing was."""


def _spawn(
    command: list[str], control: socket.socket, environment: dict[str, str], said: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a process whose last argument is the number of its control socket, and which complains to a file."""
    number = control.fileno()
    return subprocess.Popen(  # noqa: S603  (our own command)
        [*command, str(number)], pass_fds=(number,), env=environment, stdin=subprocess.DEVNULL, stderr=said
    )


def _last_words(said: IO[bytes]) -> str:
    """The last line that a process complained with."""
    said.seek(0, os.SEEK_END)
    said.seek(max(0, said.tell() - 4096))
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    return f": {lines[-1].rstrip('.')[:300]}" if lines else ""


class Zygote:
    """A warm process in its sandbox."""

    def __init__(self, modules: tuple[str, ...], load: tuple[str, ...], level: sandbox.Level) -> None:
        self.isolate = level != "process"
        self.folder = tempfile.TemporaryDirectory(prefix="bncourse-")
        command = sandbox.bwrap_command(modules) if self.isolate else sandbox.process_command(modules)
        program = call_filter() if level == "full" else b""
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {**sandbox.ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath)}
        self.said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the rest)
        self.process = _spawn(command, theirs, environment, self.said)
        theirs.close()
        setup = {"load": load, "hide": [sandbox.OURS], "filter": program.hex()}
        with contextlib.suppress(OSError):  # it has ended already: nobody will hear from it
            self.control.send(json.dumps(setup).encode())
        self.ends: dict[int, dict[str, Any]] = {}
        self.missing: list[str] = []
        self.memory = TORCH_MEMORY_MIB if "torch" in load else MEMORY_MIB
        self.ready = False

    def wait_ready(self) -> None:
        """Wait until its libraries are loaded."""
        if self.ready:
            return
        message = self._message(START_SECONDS)
        if message is None:
            raise StartError(
                f"The warm process of the sandbox did not start{_last_words(self.said)}. "
                "`bncourse doctor` says what is missing."
            )
        self.missing, self.ready = message["missing"], True

    def fork(self, number: int, connection: socket.socket, cpu_seconds: int) -> None:
        """Have one more worker forked that serves the connection."""
        self.wait_ready()
        order = {
            "do": "fork",
            "id": number,
            "isolate": self.isolate,
            "folder": self.folder.name,
            "memory_mib": self.memory,
            "tmp_mib": TMP_MIB,
            "cpu_seconds": cpu_seconds,
        }
        try:
            socket.send_fds(self.control, [json.dumps(order).encode()], [connection.fileno()])
        except OSError as error:
            raise LaneError(f"the warm process of the sandbox has ended ({type(error).__name__})") from error

    def end(self, number: int) -> dict[str, Any]:
        """Kill a worker if it still runs; returns how it ended."""
        with contextlib.suppress(OSError):
            self.control.send(json.dumps({"do": "kill", "id": number}).encode())
        deadline = time.monotonic() + 10
        while number not in self.ends and time.monotonic() < deadline:
            message = self._message(deadline - time.monotonic())
            if message is None:
                break
            self.ends[message["id"]] = message
        return self.ends.pop(number, {"ended": None, "cpu": 0.0})

    def _message(self, seconds: float) -> dict[str, Any] | None:
        if not select.select([self.control], [], [], max(0.0, seconds))[0]:
            return None
        with contextlib.suppress(ConnectionResetError):
            data = self.control.recv(65536)
            return json.loads(data) if data else None
        return None

    def close(self) -> None:
        """End it, and all its forks with it."""
        self.control.close()
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()
        self.said.close()


class Lane:
    """Grades one submission at a time."""

    def __init__(self, level: sandbox.Level) -> None:
        self.level = level
        self.pid = 0
        """The oracle's process for the present submission."""
        self.numbers = itertools.count(1)
        self.zygotes: dict[tuple[tuple[str, ...], ...], Zygote] = {}
        self.known: set[str] = set()
        self.control, theirs = socket.socketpair()
        self.channel = Channel(self.control.fileno())
        command = [sys.executable, "-c", "from bncourse.grading import oracle; oracle.main()"]
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
        self.said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the rest)
        self.oracle = _spawn(command, theirs, {**os.environ, **threads}, self.said)
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def zygote(self, modules: tuple[str, ...], load: tuple[str, ...]) -> Zygote:
        """The warm process that may import `modules` and has `load` loaded; started when first asked for."""
        key = (modules, load)
        if key not in self.zygotes or self.zygotes[key].process.poll() is not None:
            self.zygotes[key] = Zygote(modules, load, self.level)
        return self.zygotes[key]

    def teach(self, master: Master, key: str) -> None:
        """Make the oracle know a master."""
        if key in self.known:
            return
        try:
            if not self.known:
                self._hear()
            self._order({"master": render.source_notebook(master), "key": key}, [])
            self._hear()
        except (Gone, Late, LaneError) as error:
            raise StartError(
                f"The grader's trusted process did not start{_last_words(self.said)}. Install the package again: "
                "pip install --force-reinstall 'bncourse[grading]'"
            ) from error
        self.known.add(key)

    def _hear(self) -> bytes:
        return self.channel.receive(time.monotonic() + START_SECONDS)

    def _order(self, message: dict[str, Any], descriptors: list[int]) -> None:
        try:
            socket.send_fds(self.control, [b"J"], descriptors) if descriptors else self.control.send(b"J")
            self.channel.send(json.dumps(message).encode(), time.monotonic() + 30)
        except (OSError, Gone, Late) as error:
            raise LaneError(f"the oracle has ended ({type(error).__name__})") from error

    def run(
        self, job: dict[str, Any], zygote: Zygote, patience: Callable[[], float]
    ) -> Generator[dict[str, Any], None, None]:
        """Run one pass over a submission; yields the oracle's reports, and at last how the worker ended.

        Parameters
        ----------
        job : dict
            The master's key, the steps, the seed.
        zygote : Zygote
            Whose fork runs the student's cells.
        patience : callable
            Returns the seconds to wait for the next report.
        """
        number = next(self.numbers)
        ours, theirs = socket.socketpair()
        reports, reporting = socket.socketpair()
        channel = Channel(reports.fileno())
        self.last: dict[str, Any] = {}
        self.answers = b""
        self.pid = 0
        try:
            zygote.fork(number, theirs, job["cpu_seconds"])
            self._order(job | {"recorded": False}, [ours.fileno(), reporting.fileno()])
            theirs.close()
            ours.close()
            reporting.close()
            yield from self._reports(channel, patience)
        except Late:
            yield {"overdue": True}
        except (Gone, WireError) as error:
            raise LaneError("the oracle's process ended") from error
        finally:
            for end in (ours, theirs, reports, reporting):
                end.close()
            if self.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
            self.last = zygote.end(number)

    def _reports(self, channel: Channel, patience: Callable[[], float]) -> Iterator[dict[str, Any]]:
        """The oracle's reports on one pass, which come several at a time."""
        while True:
            data = channel.receive(time.monotonic() + patience())
            if data[:1] == ANSWERS:
                self.answers = data[1:]
                continue
            for message in json.loads(data):
                self.pid = message.get("pid", 0) or self.pid
                if "failed" in message:
                    raise LaneError(message["failed"])
                yield message
                if "done" in message or "dead" in message:
                    return

    def replay(self, job: dict[str, Any], answers: bytes) -> Generator[dict[str, Any], None, None]:
        """Run one pass whose requests are answered from a transcript; yields the oracle's reports."""
        reports, reporting = socket.socketpair()
        channel = Channel(reports.fileno())
        try:
            self._order(job | {"recorded": True, "record": False}, [reporting.fileno()])
            self.channel.send(answers, time.monotonic() + 30)
            reporting.close()
            yield from self._reports(channel, lambda: START_SECONDS)
        except (Gone, Late, WireError) as error:
            raise LaneError("the oracle's process ended") from error
        finally:
            reports.close()
            reporting.close()

    def close(self) -> None:
        """End all processes of the lane."""
        self.control.close()
        self.oracle.kill()
        self.oracle.wait()
        self.said.close()
        for zygote in self.zygotes.values():
            zygote.close()
