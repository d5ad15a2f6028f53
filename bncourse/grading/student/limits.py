"""Seconds, names of modules and memory in; a process that keeps a student's code within them out.

They are the limits that hold when it is graded, as near as a student's own machine allows.
"""

import builtins
import contextlib
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bncourse.grading.oracle.patience import LEAST, MOST, OwnDelay
from bncourse.grading.oracle.remote_errors import StudentLate

AGAIN = 0.5
"""Seconds after which code that has caught its end is ended once more."""
MEMORY = 6 * 2**30
"""Bytes that a student's code may ask for beside what libraries have, where the system can say no."""


@contextlib.contextmanager
def in_time(seconds: float) -> Any:
    """End what takes longer, where the system has a timer; elsewhere the other process does.

    What the machine's other work took is not counted, up to a bound, as when it is graded.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    delay, begun = OwnDelay(), time.monotonic()
    before = delay.now()

    def ring(*_: Any) -> None:
        wall = time.monotonic() - begun
        more = min(seconds - (wall - (delay.now() - before)), MOST * seconds - wall)
        if more <= LEAST:
            raise StudentLate
        signal.setitimer(signal.ITIMER_REAL, more, AGAIN)

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        delay.close()


def limit_imports(allowed: set[str], space: dict[str, Any]) -> None:
    """Have the student's own code, and modules beside it, import only what there is when it is graded."""
    real, here = builtins.__import__, str(Path.cwd())

    def limited(name: str, scope: Any = None, *rest: Any, **more: Any) -> Any:
        whose = scope if isinstance(scope, dict) else {}
        students = whose is space or str(whose.get("__file__", "")).startswith(here)
        top = name.split(".")[0]
        level = more.get("level", rest[2] if len(rest) > 2 else 0)
        if students and name and not level and top not in allowed and not _lies_here(top):
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)
        return real(name, scope, *rest, **more)

    vars(builtins)["__import__"] = limited


def _lies_here(top: str) -> bool:
    """Whether a module lies in the folder of the run, or in one below it that the student's code put on the path."""
    here = Path.cwd()
    folders = (here / entry for entry in ["", *sys.path] if (here / entry).is_relative_to(here))
    return any((folder / f"{top}.py").is_file() or (folder / top).is_dir() for folder in folders)


def limit_memory() -> None:
    """Refuse memory beyond a limit, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
