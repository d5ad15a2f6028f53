"""A process before and after a cell in; whether it changed more than its own names out."""

import _thread
import builtins
import contextlib
import gc
import os
import resource
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.linalg
import numpy.random

LIBRARY = [(vars(module), dict(vars(module))) for module in (builtins, np, np.linalg, np.random)]
"""What everybody's code looks up, and what was there at first; what is loaded later may add to it."""


MEMORY_MIB = 64
"""What a process may grow by unnoticed."""


def surroundings() -> list[Any]:
    """What can be seen of them before a process is forked; two such lists are equal where nothing has changed."""
    return [
        sys.path[:],
        sys.getrecursionlimit(),
        _thread._count(),
        signal.getsignal(signal.SIGALRM),
        signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        gc.isenabled(),
        dict(os.environ),
        warnings.filters[:],
        np.geterr(),
        np.geterrcall(),
        *_of_torch(sys.modules.get("torch")),
    ]


class Surroundings:
    """As they were when this was made: in the warm process, for all its forks."""

    def __init__(self) -> None:
        self._before = surroundings()
        self._memory = _highest_memory()

    def unchanged(self) -> bool:
        """Whether all is as it was; False also where that cannot be seen."""
        with contextlib.suppress(Exception):
            library = all(known.items() <= names.items() for names, known in LIBRARY)
            return library and surroundings() == self._before
        return False

    def untouched(self, folder: str, stream: Any) -> bool:
        """Whether that is so, this folder is the present one and empty, and what is printed goes to this stream."""
        with contextlib.suppress(Exception):
            here = str(Path.cwd()) == folder and not any(Path().iterdir())
            return here and sys.stdout is stream is sys.stderr and self.unchanged()
        return False

    def grown(self) -> bool:
        """Whether the process has ever held much more memory than then."""
        return _highest_memory() > self._memory + MEMORY_MIB * 1024


def _highest_memory() -> int:
    """The most that the process ever held, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _of_torch(torch: Any) -> list[Any]:
    if torch is None:
        return []
    return [
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_anomaly_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_num_threads(),
    ]
