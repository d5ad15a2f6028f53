"""What a cell may change beside its own names, for all code that runs after it in the same process."""

import _thread
import builtins
import contextlib
import gc
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.linalg
import numpy.random

SIGNALS = (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGFPE)
LIBRARY = [(vars(module), tuple(vars(module))) for module in (builtins, np, np.linalg, np.random)]
"""What everybody's code looks up, and the names that were in it at first; what is loaded later adds some."""


def surroundings() -> list[Any]:
    """All of it that can be seen; two such lists are equal where nothing has changed."""
    return [
        sys.stdout,
        sys.stderr,
        sys.path[:],
        sys.getrecursionlimit(),
        _thread._count(),
        [signal.getsignal(number) for number in SIGNALS],
        gc.isenabled(),
        dict(os.environ),
        os.umask(os.umask(0o77)),
        Path.cwd(),
        os.listdir(),  # noqa: PTH208  (names are enough)
        warnings.filters[:],
        np.geterr(),
        np.geterrcall(),
        [id(names.get(name)) for names, known in LIBRARY for name in known],
        *_of_torch(sys.modules.get("torch")),
    ]


def unchanged(before: list[Any]) -> bool:
    """Whether all is as it was; False also where that cannot be seen."""
    with contextlib.suppress(Exception):
        return surroundings() == before
    return False


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
