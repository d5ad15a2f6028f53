"""A student's file diagnosed in a process of its own: no loop without an end, crash or `exit()` takes ours along."""

import ast
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from bncourse.diagnosis.conventions.files import read_text
from bncourse.diagnosis.conventions.report import FileReport, FunctionReport

SECONDS = 20.0
"""Processor time that each normalization has."""
PATIENCE = 4
"""Times as long on the clock, for a machine that is busy or code that sleeps."""
START_SECONDS = 60.0
MAX_STOPPED = 4
MAX_BYTES, MAX_BESIDE = 8_000_000, 50


class StartError(RuntimeError):
    """The process in which a file is looked at does not start."""


def diagnose_apart(
    path: str | Path,
    convention: str | None = None,
    *,
    seconds: float = SECONDS,
    command: Sequence[str] | None = None,
    extra: dict[str, Any] | None = None,
) -> FileReport:
    """Do what `diagnose_file` does, in a process of its own that is ended when its time is up.

    Parameters
    ----------
    path : path
        A .py file or a notebook.
    convention : str, optional
        As in `diagnose_file`.
    seconds : float
        Processor time for each normalization of the file.
    command : sequence of str, optional
        Starts the process; by default this Python. Where it is given the process gets the texts of the modules beside
        the file, and not their folder.
    extra : dict, optional
        What that process needs besides.
    """
    path = Path(path)
    text = read_text(path)
    if isinstance(text, FileReport):
        return text
    job = {
        "text": text,
        "name": path.name,
        "convention": convention,
        "seconds": seconds,
        "folder": str(path.resolve().parent) if command is None else None,
        "beside": modules_beside(text, path) if command is not None else {},
        "stopped": {},
        **(extra or {}),
    }
    stopped: dict[str, str] = {}
    while True:
        report, at, reason = _one_run({**job, "stopped": stopped}, command or _own_command(), seconds)
        if not reason:
            return report
        if not at:
            return FileReport(path.name, problem=f"{reason} before anything in it could be looked at.")
        stopped.update(dict.fromkeys(at, reason))
        if len(stopped) > MAX_STOPPED:
            what = "a normalization"
            known = {one.name for one in report.functions}
            report.functions += [
                FunctionReport(name, what, "unreadable", reason=f"{why}.")
                for name, why in stopped.items()
                if name not in known
            ]
            return report


def _own_command() -> list[str]:
    return [sys.executable, "-P", "-m", "bncourse.diagnosis.conventions.child"]


def modules_beside(text: str, path: Path) -> dict[str, str]:
    """Texts of the modules in the file's folder, if the file imports any of them."""
    folder = path.resolve().parent
    found: dict[str, str] = {}
    for other in sorted(folder.glob("*.py"))[:MAX_BESIDE]:
        if other.name != path.name and other.stem in text and other.is_file() and not other.is_symlink():
            with contextlib.suppress(OSError, UnicodeDecodeError):
                if other.stat().st_size < 1_000_000:
                    found[other.name] = other.read_text(encoding="utf-8-sig")
    return found


def imported_modules(text: str) -> tuple[str, ...]:
    """Return the top-level modules that a script or a notebook may import, in alphabetical order."""
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError, AttributeError):
            cells = json.loads(text).get("cells", [])
            text = "\n".join("".join(cell.get("source", "")) for cell in cells if isinstance(cell, dict))
    found = set()
    for line in text.splitlines():
        with contextlib.suppress(SyntaxError, ValueError):
            for node in ast.parse(line.strip()).body:
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.split(".")[0])
    return tuple(sorted(found))


def _one_run(job: dict[str, Any], command: Sequence[str], seconds: float) -> tuple[FileReport, list[str], str]:
    """Return the last report, the names that were being looked at, and why it ended, "" where it is whole."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    ours = str(Path(__file__).resolve().parents[3])
    paths = os.pathsep.join(filter(None, [ours, os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603  (our own command)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={**os.environ, **threads, "MPLBACKEND": "Agg", "PYTHONPATH": paths},
            start_new_session=True,
        )
        try:
            return _follow(process, job, seconds)
        except StartError as error:
            said.seek(0)
            lines = said.read().decode(errors="replace").split("\n")
            raise StartError(
                f"{error}: {next((one for one in reversed(lines) if one.strip()), 'it says nothing')}"
            ) from None
        finally:
            with contextlib.suppress(OSError, AttributeError):
                os.killpg(process.pid, signal.SIGKILL)  # what it has started ends with it
            process.kill()
            process.wait()


def _follow(
    process: "subprocess.Popen[bytes]", job: dict[str, Any], seconds: float
) -> tuple[FileReport, list[str], str]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(job).encode())
        process.stdin.close()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True).start()
    report, at, started = FileReport(job["name"]), list[str](), False
    while True:
        deadline = time.monotonic() + (max(seconds * PATIENCE, 5.0) if started else START_SECONDS)
        try:
            line = lines.get(timeout=deadline - time.monotonic())
        except queue.Empty:
            return report, at, _late(seconds)
        try:
            message = json.loads(line) if line else {}
            if message:
                started, report = True, FileReport.of_data(message["report"])
                at = [str(name) for name in message.get("at", ())]
        except (ValueError, KeyError, TypeError, AttributeError):
            message = {}
        if message and "at" not in message:
            return report, [], ""
        if not message:
            process.kill()
            ended = process.wait()
            if not started:
                raise StartError("the process in which a file is looked at does not start")
            late = hasattr(signal, "SIGPROF") and ended in (-signal.SIGPROF, 128 + signal.SIGPROF)
            return report, at, _late(seconds) if late else "it ended the process in which it ran"


def _late(seconds: float) -> str:
    return f"it did not come to an end in {seconds:g} s (--seconds gives more); look for a loop that never ends"


def _read_lines(stream: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    total = 0
    for line in stream:
        total += len(line)
        lines.put(line if total <= MAX_BYTES else b"too much")
    lines.put(b"")
