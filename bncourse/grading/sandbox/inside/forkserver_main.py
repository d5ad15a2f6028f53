"""Orders in; forked workers out: the process that has NumPy, PyTorch or Matplotlib loaded.

It holds no secret: it is told only "fork", "split", "kill", and "learn" with the cells that every student is given.
A fork gets its own user, mount, process and IPC namespaces, an empty /tmp and /proc, limits and a system-call filter
before it reads the first cell. Only a process's children enter a new namespace of processes, and only who owns its
own may return to it; so the warm process has namespaces of its own too, and forks once instead of twice.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from . import landlock, namespaces

DATA = 3
"""The descriptor of a worker's connection."""


class Warm:
    """Forks on demand, reaps, and reports how each fork ended."""

    def __init__(
        self, control: socket.socket, program: bytes, base: int, *, isolate: bool, paths: dict[str, list[str]]
    ) -> None:
        self.listen(control)
        self.program, self.base, self.isolate = program, base, isolate
        self.paths = paths
        """What is left open to a fork where files are kept from it by Landlock."""
        self.children: dict[int, int] = {}
        self.processes = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if isolate else -1
        """The namespace of this process."""
        self.surroundings = sys.modules[f"{__package__}.surroundings"].Surroundings()

    def listen(self, control: socket.socket) -> None:
        """Take orders from here from now on, and notice what ends."""
        self.control = control
        self.wake, alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        self.poll = select.poll()
        self.poll.register(self.control, select.POLLIN)
        self.poll.register(self.wake, select.POLLIN)
        namespaces.adopt_orphans()

    def serve(self) -> None:
        """Answer orders until the supervisor goes away; no worker outlives that, but others may that split off."""
        while True:
            ready = {descriptor for descriptor, _ in self.poll.poll()}
            if self.wake in ready:
                os.read(self.wake, 4096)
                self.reap()
            if self.control.fileno() in ready:
                data, descriptors = self.receive()
                if not data:
                    break
                self.obey(json.loads(data), descriptors)
        for process in self.children:
            os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:  # the end of a namespace's first process would be theirs too
                os.wait()

    def receive(self) -> tuple[bytes, list[int]]:
        """Take an order in; nothing at the end."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 4)
        except ConnectionResetError:
            return b"", []
        return data, descriptors

    def obey(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Fork, split, kill or learn."""
        if order["do"] == "learn":
            sys.modules[f"{__package__}.statements"].learn(order["cell"], order["source"])
            gc.freeze()
        if order["do"] == "fork":
            self.fork(order, descriptors)
        if order["do"] == "split":
            self.split(order, descriptors[0])
        for descriptor in descriptors:
            os.close(descriptor)
        for process, number in list(self.children.items()):
            if order["do"] == "kill" and number == order["id"]:
                os.kill(process, signal.SIGKILL)

    def split(self, order: dict[str, Any], descriptor: int) -> None:
        """Fork another warm process, which has learned what this one has, and takes orders from there."""
        if os.fork():
            return
        self.control.close()
        self.children.clear()
        os.sched_setaffinity(0, {order["cpu"]})
        self.listen(socket.socket(fileno=os.dup(descriptor)))
        self.tell(ready=0.0)

    def tell(self, **message: Any) -> None:
        """Send the supervisor one message, if it is still there."""
        with contextlib.suppress(OSError):
            self.control.send(json.dumps(message).encode())

    def fork(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Fork a worker; where it is isolated, it is process 1 of a namespace."""
        if self.isolate:
            namespaces.fork_into_namespace()
        process = os.fork()
        if process == 0:
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                if self.isolate:
                    namespaces.leave_namespaces(namespaces.MOUNTS | namespaces.IPC)
                    namespaces.empty_folders(order["tmp_mib"])
                self.become_worker(order, descriptors)
            finally:
                os._exit(1)
        if self.isolate:
            namespaces.return_to(self.processes)
        self.children[process] = order["id"]

    def become_worker(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Close everything but the connection, accept the limits, and serve."""
        connection, shared = descriptors
        place = sys.modules[f"{__package__}.progress"].Progress(shared)
        os.dup2(connection, DATA)
        os.closerange(DATA + 1, 1024)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        os.close(silence)
        os.setpgid(0, 0)
        os.chdir("/tmp" if self.isolate else order["folder"])  # noqa: S108
        if not self.isolate:
            sys.path.append(order["folder"])
            os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), order["folder"]))
        if self.paths:
            landlock.restrict(self.paths["read"], self.paths["list"], [order["folder"], *namespaces.DEVICES])
        namespaces.set_limits(order, self.base, isolate=self.isolate)
        if self.isolate:
            namespaces.drop_capabilities()
        namespaces.filter_calls(self.program)
        worker = sys.modules[f"{__package__}.worker"]
        try:
            worker.Worker(DATA, place, self.surroundings).serve()
        finally:
            os._exit(0)

    def reap(self) -> None:
        """Report every fork that has ended."""
        while self.children:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            process, status, usage = os.wait4(found.si_pid, 0)
            number = self.children.pop(process, None)
            if number is not None:
                self.tell(
                    id=number,
                    ended=os.waitstatus_to_exitcode(status),
                    cpu=usage.ru_utime + usage.ru_stime,
                    memory=usage.ru_maxrss,
                )


def main() -> None:
    """Load what is asked for, report, and serve; arguments: the modules to load."""
    started = time.perf_counter()
    control = socket.socket(fileno=int(sys.argv[-1]))
    setup = json.loads(control.recv(1 << 18))
    if setup["isolate"]:
        namespaces.own_namespaces()
    gc.disable()  # for as long as libraries load, which takes a fifth less then
    importlib.import_module(f"{__package__}.worker")
    for name in setup["load"]:
        with contextlib.suppress(Exception):  # who needs it will say so
            importlib.import_module(name)
    importlib.import_module(f"{__package__}.rehearsal").rehearse()
    sys.path[:] = [path for path in sys.path if path not in setup["hide"]]
    if setup["isolate"]:
        sys.path.append("/tmp")  # noqa: S108  (a fork's own, for modules that its cells write; last, to hide no other)
    gc.collect()
    gc.freeze()
    gc.enable()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    os.sched_setaffinity(0, {setup["cpu"]})  # what is forked inherits it
    control.send(json.dumps({"ready": time.perf_counter() - started}).encode())
    base = pages * os.sysconf("SC_PAGE_SIZE")
    Warm(control, bytes.fromhex(setup["filter"]), base, isolate=setup["isolate"], paths=setup["paths"]).serve()


if __name__ == "__main__":
    main()
