"""Two loops hold nobody up, and right code keeps its marks beside them, on a machine with too much to do."""

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from bncourse.grading.engine.grader import Grader
from tests.grading.small import FULL, MASTER, RIGHT, hand_in

pytestmark = pytest.mark.sandbox

BUSY = """\
def standardize(x):
    import time
    end = time.process_time() + 0.4
    while time.process_time() < end:
        pass
    return (x - x.mean()) / x.std()"""
"""Two calls in the visible part and two in the hidden one: 1.2 seconds in the end, whatever else is running."""
THREADED = """\
def standardize(x):
    import threading, time
    def work():
        end = time.process_time() + 0.4
        while time.process_time() < end:
            pass
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return (x - x.mean()) / x.std()"""
HANGING = {
    "a loop": "def standardize(x):\n    while True: pass",
    "a sleeper": "def standardize(x):\n    import time\n    time.sleep(600)",
    "a thread": "def standardize(x):\n    import threading\n    threading.Event().wait()",
}


@pytest.fixture
def busy() -> Iterator[None]:
    """One endless loop for each processor, so that nobody has more than half of one."""
    count = len(os.sched_getaffinity(0))
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.mark.slow
@pytest.mark.long
def test_a_busy_machine_costs_no_mark_and_a_loop_no_more_than_three_times_its_seconds(busy: None) -> None:
    master = dataclasses.replace(MASTER, seconds_per_test=4 * 0.4 + 0.4, seconds_in_all=60.0)
    with Grader(jobs=2, cache=False) as grader:
        grader.prepare(master)
        for code in (BUSY, THREADED):
            assert grader.grade(master, "x", hand_in(RIGHT | {"scale": code})).score == FULL
        for code in HANGING.values():
            start = time.monotonic()
            record = grader.grade(master, "x", hand_in(RIGHT | {"scale": code}))
            assert (record.score, record.status) == (FULL - 2, "timeout")
            assert time.monotonic() - start < 3 * 2.0 + 20


@pytest.mark.long
def test_nobody_waits_for_who_hangs() -> None:
    """While one lane waits for a loop, the other one grades the rest of the class."""
    right = [(f"right {n}", hand_in(RIGHT | {"number": f"values_per_channel = 200 + 0 * {n}"})) for n in range(20)]
    master = dataclasses.replace(
        MASTER, seconds_per_test=10.0, seconds_in_all=60.0
    )  # longer than a busy machine needs to start the second lane
    with Grader(jobs=2, cache=False) as grader:
        grader.prepare(master)
        first = [("loop", hand_in(RIGHT | {"scale": HANGING["a loop"]}))]
        ready = next(iter(grader.grade_many(master, [*first, *right])))
    assert ready.student != "loop"
