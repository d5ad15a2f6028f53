"""What a process of its own runs: a student's file comes in on the standard input, reports go out, one a line.

What the student's code prints is thrown away, and `input()` finds nothing to read. Every normalization has its own
time: where the system can count it, seconds of processor time, after which the process ends.
"""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bncourse.diagnosis.conventions.files import look_at_source
from bncourse.diagnosis.conventions.report import FileReport

MEMORY = 6 * 2**30
"""Bytes that a student's code may ask for beside what libraries have, where the system can say no."""


def main(confine: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Take a job, and report before each normalization and at the end.

    Parameters
    ----------
    confine : callable, optional
        Given the job, gives up what the student's code shall not have.
    """
    job = json.loads(sys.stdin.buffer.read())
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        folder = job["folder"] or _written(job["beside"])
        _limit_memory()
        if confine is not None:
            confine(job)

        def tell(at: list[str], report: FileReport) -> None:
            out.write(json.dumps({"at": at, "report": report.data()}) + "\n")
            out.flush()
            _start_the_clock(job["seconds"])

        tell([], FileReport(job["name"]))
        report = look_at_source(
            job["text"], job["convention"], job["name"], folder=folder, stopped=job["stopped"], tell=tell
        )
        out.write(json.dumps({"report": report.data()}) + "\n")


def _written(files: dict[str, str]) -> str | None:
    """Write the modules that lie beside the file where they can be imported."""
    if not files:
        return None
    folder = tempfile.mkdtemp()
    for name, text in files.items():
        Path(folder, name).write_text(text, encoding="utf-8")
    return folder


def _start_the_clock(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    except (OSError, ValueError):  # macOS
        return


if __name__ == "__main__":
    main()
