"""How long a check takes: `python -m bncourse.diagnosis.evidence.speed`.

Thousands of diagnoses are made in one grading run; a right pair should take under 10 ms and a wrong one under 100 ms.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bncourse.diagnosis import checks
from bncourse.diagnosis.diagnose import diagnose
from bncourse.diagnosis.evidence.correct_programs import RIGHT
from bncourse.diagnosis.evidence.specimens import SPECIMENS

Times = tuple[float, float]


def _milliseconds(run: Callable[[], Any]) -> Times:
    """Wall-clock and processor time; on a busy machine the second is the fairer one."""
    wall, busy = time.perf_counter(), time.process_time()
    run()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - busy)


def _line(what: str, times: list[Times]) -> str:
    text = f"{what}\n"
    for kind, values in zip(("wall clock", "processor"), zip(*times, strict=True), strict=True):
        ordered = sorted(values)
        tail, longest = ordered[int(0.99 * (len(ordered) - 1))], ordered[-1]
        text += (
            f"  {kind}: median {statistics.median(ordered):6.2f} ms, 99 % {tail:6.2f} ms, longest {longest:6.2f} ms\n"
        )
    return text


def measure(seeds: range = range(20)) -> str:
    """Time checks of right programs and diagnoses of wrong ones, with fresh probes for every seed.

    Parameters
    ----------
    seeds : range
        Which probes.

    Returns
    -------
    str
        Three lines of text for each of three kinds of call.
    """
    forward, backward = RIGHT[0].forward, RIGHT[0].backward
    pairs, right, wrong = [], [], []
    for seed in seeds:
        pairs.append(_milliseconds(lambda seed=seed: checks.check_backward(forward, backward, seed=seed)))  # type: ignore[misc]
        for one in RIGHT:
            right.append(_milliseconds(lambda one=one, seed=seed: diagnose(one.forward, one.backward, seed=seed)))  # type: ignore[misc]
        for specimen in SPECIMENS:
            wrong.append(_milliseconds(lambda one=specimen, seed=seed: one.diagnose(seed)))  # type: ignore[misc]
    return (
        _line("check_backward on the reference", pairs)
        + _line("diagnose, right programs in all styles", right)
        + _line("diagnose, specimens (all tasks)", wrong)
    )


if __name__ == "__main__":
    sys.stdout.write(measure())
