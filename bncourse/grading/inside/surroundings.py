"""What a cell may change beside its own names, for all code that runs after it in the same process."""

import _thread
import builtins
import contextlib
import gc
import os
import signal
import sys
import warnings
from typing import Any

import numpy as np
import numpy.linalg
import numpy.random

LIBRARY = [(vars(module), dict(vars(module))) for module in (builtins, np, np.linalg, np.random)]
"""What everybody's code looks up, and what was there at first; what is loaded later may add to it."""


def surroundings() -> list[Any]:
    """What can be seen of them; two such lists are equal where nothing has changed."""
    return [
        sys.stdout,
        sys.stderr,
        sys.path[:],
        sys.getrecursionlimit(),
        _thread._count(),
        signal.getsignal(signal.SIGALRM),
        signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        gc.isenabled(),
        dict(os.environ),
        os.getcwd(),  # noqa: PTH109  (text is enough)
        os.listdir(),  # noqa: PTH208
        warnings.filters[:],
        np.geterr(),
        np.geterrcall(),
        *_of_torch(sys.modules.get("torch")),
    ]


def unchanged(before: list[Any]) -> bool:
    """Whether all is as it was; False also where that cannot be seen."""
    with contextlib.suppress(Exception):
        return surroundings() == before and all(known.items() <= names.items() for names, known in LIBRARY)
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
