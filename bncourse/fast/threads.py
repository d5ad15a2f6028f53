"""A loop and the number of its channels or rows in; the loop run in several threads, each on a part of them, out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

LEAST = 1 << 16
"""Values that are worth a thread: to wake one takes about as long as to normalize half as many."""

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


def threads_for(values: int) -> int:
    """How many threads an array of so many values is worth, up to what was chosen."""
    return max(1, min(_chosen, values // LEAST))


def over_parts(work: Callable[[int, int], Any], size: int, values: int) -> list[Any]:
    """Call `work(first, last)` for parts that together are all channels, or all rows, each part in its own thread.

    The compiled loops hold no lock of Python's, so that the threads run at the same time.

    Parameters
    ----------
    work : callable
    size : int
        Number of channels or rows.
    values : int
        Number of values in the array.

    Returns
    -------
    list
        What `work` has returned, part by part.
    """
    parts = min(threads_for(values), size)
    if parts == 1:
        return [work(0, size)]
    # Multiples of 16 values, so that two threads never write into one cache line.
    width = -(-size // parts)
    width = -(-width // 16) * 16 if size >= 16 * parts else width
    bounds = [(start, min(start + width, size)) for start in range(0, size, width)]
    waiting = [_pool(_chosen).submit(work, *bound) for bound in bounds[1:]]
    return [work(*bounds[0]), *(other.result() for other in waiting)]


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count - 1, thread_name_prefix="bncourse-fast")
