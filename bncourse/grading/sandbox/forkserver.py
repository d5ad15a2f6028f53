"""Modules to load in; a process in its sandbox out, which forks a worker for every pass."""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from bncourse.grading.sandbox import bubblewrap, without_namespaces
from bncourse.grading.sandbox.inside import landlock
from bncourse.grading.sandbox.syscalls import call_filter

START_SECONDS = 60.0
MAX_ORDER = 65_536
"""Bytes that the warm process reads at once."""
MEMORY_MIB, TORCH_MEMORY_MIB, TMP_MIB = 512, 3072, 16


class LaneError(RuntimeError):
    """A process of the grader failed while it graded a submission."""


class StartError(bubblewrap.GraderError):
    """A process of the grader does not start: nothing can be graded, and nothing was."""


def spawn(
    command: list[str],
    controls: Sequence[socket.socket],
    environment: dict[str, str],
    said: IO[bytes],
    user: tuple[int, int] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process whose last arguments are the numbers of its control sockets, and which complains to a file.

    With `user`, the numbers of a user and a group, it runs as that one, and is in no other group.
    """
    numbers = [control.fileno() for control in controls]
    as_user: dict[str, Any] = {} if user is None else {"user": user[0], "group": user[1], "extra_groups": ()}
    return subprocess.Popen(  # noqa: S603  (our own command)
        [*command, *map(str, numbers)],
        pass_fds=numbers,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=said,
        **as_user,
    )


def last_words(said: IO[bytes]) -> str:
    """The last line that a process complained with."""
    said.seek(0, os.SEEK_END)
    said.seek(max(0, said.tell() - 4096))
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    return f": {lines[-1].rstrip('.')[:300]}" if lines else ""


class Forkserver:
    """A warm process in its sandbox.

    Parameters
    ----------
    modules : tuple of str
        What may be imported.
    load : tuple of str
        What is loaded already.
    level : {"full", "no-filter", "user", "process"}
        The sandbox.
    cpu : int
        The processor that it takes.
    like : Forkserver, optional
        One with the same modules, which is ready: this one is forked from it, inside the same sandbox.
    """

    def __init__(
        self,
        modules: tuple[str, ...],
        load: tuple[str, ...],
        level: bubblewrap.Level,
        cpu: int,
        like: "Forkserver | None" = None,
    ) -> None:
        self.level, self.isolate = level, level not in ("user", "process")
        self.folder = tempfile.TemporaryDirectory(prefix="bncourse-")
        self.user = without_namespaces.worker_user() if level == "user" else None
        if self.user is not None:
            Path(self.folder.name).chmod(0o711)
        self.ends: dict[int, dict[str, Any]] = {}
        self.forgotten: set[int] = set()
        self.memory = TORCH_MEMORY_MIB if "torch" in load else MEMORY_MIB
        self.ready = self.lost = False
        self.known: set[str] = set()
        """Keys of the masters whose given cells it has learned."""
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.said: IO[bytes]
        self.process: subprocess.Popen[bytes]
        self.readable: tempfile.TemporaryDirectory[str] | None = None
        """What a worker without namespaces may import."""
        self.users: set[int]
        """The processes in the same sandbox."""
        if like is not None:
            self.said, self.process, self.users, self.readable = like.said, like.process, like.users, like.readable
            self.known |= like.known
            like.order({"do": "split", "cpu": cpu}, theirs.fileno())
        else:
            self.users = set()
            self.said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the rest)
            self.process = self.start(modules, theirs)
            setup = {
                "load": load,
                "hide": [bubblewrap.OURS],
                "filter": self.filter().hex(),
                "cpu": cpu,
                "isolate": self.isolate,
                "paths": self.paths(modules),
            }
            with contextlib.suppress(OSError):  # it has ended already: nobody will hear from it
                self.control.send(json.dumps(setup).encode())
        theirs.close()
        self.users.add(id(self))

    def start(self, modules: tuple[str, ...], control: socket.socket) -> subprocess.Popen[bytes]:
        """Start the sandbox."""
        environment = {**bubblewrap.ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath)}
        if self.isolate:
            command = bubblewrap.bwrap_command(modules)
        else:
            self.readable = tempfile.TemporaryDirectory(prefix="bncourse-site-")
            command = without_namespaces.lay_out(Path(self.readable.name), modules)
        try:
            return spawn(command, [control], environment, self.said, self.user)
        except OSError as error:
            who = f" as user {self.user[0]}" if self.user else ""
            raise StartError(
                f"The sandbox's process does not start{who}: {error}. At level user, Python and its packages must be "
                "readable to every user."
            ) from error

    def filter(self) -> bytes:
        """Return the system-call filter of the level; where there are no namespaces, none if it is missing."""
        if self.level == "no-filter":
            return b""
        try:
            return call_filter(isolate=self.isolate)
        except (ImportError, OSError, RuntimeError):
            if self.isolate:
                raise
            return b""

    def paths(self, modules: tuple[str, ...]) -> dict[str, list[str]]:
        """Return what Landlock leaves open to a worker without namespaces; nothing if it has no say here."""
        if self.readable is None or not landlock.version():
            return {}
        return without_namespaces.readable(Path(self.readable.name), modules)

    def wait_ready(self) -> None:
        """Wait until its libraries are loaded."""
        if self.ready:
            return
        message = self._message(START_SECONDS)
        if message is None:
            raise StartError(
                f"The warm process of the sandbox did not start{last_words(self.said)}. "
                "`bncourse doctor` says what is missing."
            )
        self.ready = True

    def learn(self, key: str, cells: Mapping[str, str]) -> None:
        """Have cells that every student is given, by name, compiled once for all forks; `key` says which they are."""
        if key in self.known:
            return
        self.known.add(key)
        for name, source in cells.items():
            message = json.dumps({"do": "learn", "cell": name, "source": source}).encode()
            if len(message) < MAX_ORDER:
                with contextlib.suppress(OSError):  # it has ended: the next fork says so
                    self.control.send(message)

    def fork(self, number: int, connection: socket.socket, place: int, cpu_seconds: int) -> None:
        """Have one more worker forked that serves the connection, and says in `place` where it is."""
        self.wait_ready()
        while self._note(0):
            pass
        order = {
            "do": "fork",
            "id": number,
            "folder": self.folder.name if self.isolate else self.new_folder(number),
            "memory_mib": self.memory,
            "tmp_mib": TMP_MIB,
            "cpu_seconds": cpu_seconds,
        }
        self.order(order, connection.fileno(), place)

    def new_folder(self, number: int) -> str:
        """Make an empty folder for one worker, and remove what those before have left.

        A worker without namespaces writes into a folder of this machine. What it leaves there may be a hidden test's
        input, and the next worker may be asked what an exception says, or run another student's cells.
        """
        for left in Path(self.folder.name).iterdir():
            remove(left)
        folder = Path(self.folder.name, str(number))
        folder.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(folder, *self.user)
        return str(folder)

    def order(self, order: dict[str, Any], *descriptors: int) -> None:
        """Send an order with descriptors."""
        try:
            socket.send_fds(self.control, [json.dumps(order).encode()], descriptors)
        except OSError as error:
            raise LaneError(f"the warm process of the sandbox has ended ({type(error).__name__})") from error

    def kill(self, number: int) -> None:
        """Kill a worker if it still runs; how it ends is of no interest."""
        self._order_kill(number)
        if self.ends.pop(number, None) is None:
            self.forgotten.add(number)

    def end(self, number: int) -> dict[str, Any]:
        """Kill a worker if it still runs; returns how it ended."""
        self._order_kill(number)
        deadline = time.monotonic() + 10
        while number not in self.ends and time.monotonic() < deadline:
            if not self._note(deadline - time.monotonic()):
                break
        return self.ends.pop(number, {"ended": None, "cpu": 0.0})

    def _order_kill(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self.control.send(json.dumps({"do": "kill", "id": number}).encode())

    def _note(self, seconds: float) -> bool:
        """Take in how one worker ended, if that is told in time."""
        message = self._message(seconds)
        if message is None:
            return False
        if message["id"] in self.forgotten:
            self.forgotten.discard(message["id"])
        else:
            self.ends[message["id"]] = message
        return True

    def _message(self, seconds: float) -> dict[str, Any] | None:
        if not select.select([self.control], [], [], max(0.0, seconds))[0]:
            return None
        with contextlib.suppress(ConnectionResetError):
            data = self.control.recv(65536)
            if data:
                found: dict[str, Any] = json.loads(data)
                return found
        self.lost = True
        return None

    def close(self) -> None:
        """End it and all its forks, and with the last one the sandbox."""
        self.control.close()
        self.users.discard(id(self))
        if not self.users:
            self.process.kill()
            self.process.wait()
            self.said.close()
            if self.readable is not None:
                self.readable.cleanup()
        for left in Path(self.folder.name).iterdir():
            remove(left)
        self.folder.cleanup()


def remove(folder: Path) -> None:
    """Remove a folder that a worker has filled, following no links, however deep it is nested."""
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL, check=False)  # noqa: S603, S607
