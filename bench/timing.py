"""Timing two functions against one another, in processor time, which the rest of the machine enters little."""

import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Comparison(NamedTuple):
    """Median times in milliseconds, and the median over the pairs of candidate / yardstick."""

    candidate: float
    yardstick: float
    ratio: float
    pairs: int


def compare(
    candidate: Callable[[], object],
    yardstick: Callable[[], object],
    *,
    seconds: float,
    least: int = 15,
    clock: Callable[[], float] = time.process_time,
    pause: float = 0.0,
) -> Comparison:
    """Alternate the two, and time each second call: the first one fills the caches for it.

    Parameters
    ----------
    candidate, yardstick : callable
    seconds : float
        How long to go on.
    least : int
        Pairs of calls, however long they take.
    clock : callable
        What is measured.
    pause : float
        Seconds without work before each turn. Threads that wait for work may do so actively, as PyTorch's do for
        some milliseconds; they would hold a processor that the other side needs.
    """
    for function in (candidate, yardstick) * 2:
        function()
    pairs: list[tuple[float, float]] = []
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + seconds
        while len(pairs) < least or time.perf_counter() < end:
            pairs.append((_time(candidate, clock, pause), _time(yardstick, clock, pause)))
    finally:
        gc.enable()
    return Comparison(
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
        len(pairs),
    )


def elsewhere() -> float | None:
    """Seconds of processor time that other programs have taken since the machine started, where the system tells."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    except OSError:
        return None
    ticks = [int(field) for field in fields]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK") - time.process_time()


def _time(function: Callable[[], object], clock: Callable[[], float], pause: float) -> float:
    if pause:
        time.sleep(pause)
    function()
    start = clock()
    function()
    return 1e3 * (clock() - start)
