"""Functions that hang, crash or grow where they meet a text, and limits within which a test can wait for that."""

import os
import signal
from collections.abc import Callable
from typing import Any

MARK = "ODD-TEXT"
LIMITS = {"seconds": 1, "patience": 60.0, "memory": 2**29}
ENDINGS: dict[str, tuple[Callable[[], Any], str]] = {
    "hangs": (lambda: sum(range(10**14)), "more than 1 seconds of processor time"),
    "crashes": (lambda: os.kill(os.getpid(), signal.SIGSEGV), "SIGSEGV"),
    "grows": (lambda: b"\0" * 2**33, "MemoryError"),
}


def spoiled(function: Callable[..., Any], ending: str) -> Callable[..., Any]:
    """A function that goes wrong where it meets the text."""

    def does(*arguments: Any) -> Any:
        if MARK in str(arguments):
            ENDINGS[ending][0]()
        return function(*arguments)

    return does
