"""Split the channels among threads: no channel needs to know of another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

LEAST = 1 << 14
"""Values that are worth a thread: to start one takes about as long as to normalize this many."""

_chosen = 1


def set_num_threads(count: int) -> None:
    """Let the functions of `bncourse.fast` use so many threads; one is the default.

    Parameters
    ----------
    count : int
        1 or more.

    Raises
    ------
    ValueError
        If `count` is less than 1.
    """
    global _chosen
    if count < 1:
        raise ValueError(f"count is {count}. Expected the number of threads, 1 or more.")
    _chosen = count


def over_channels(work: Callable[[int, int], None], channels: int, values: int) -> None:
    """Call `work(first, last)` for parts that together are all channels, each in a thread of its own.

    The compiled loops hold no lock of Python's, so that the threads run at the same time.
    """
    parts = max(1, min(_chosen, channels, values // LEAST))
    if parts == 1:
        work(0, channels)
        return
    # Multiples of 16 values, so that two threads never write into one cache line.
    width = -(-channels // parts)
    width = -(-width // 16) * 16 if channels >= 16 * parts else width
    bounds = [(start, min(start + width, channels)) for start in range(0, channels, width)]
    waiting = [_pool(_chosen).submit(work, *bound) for bound in bounds[1:]]
    work(*bounds[0])
    for other in waiting:
        other.result()


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count - 1, thread_name_prefix="bncourse-fast")
