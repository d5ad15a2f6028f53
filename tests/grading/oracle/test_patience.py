"""A busy machine costs nobody time, up to a bound; a loop, a sleep and threads of one's own cost their own."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from bncourse.grading.oracle.patience import MOST, Allowance, Clock, OwnDelay


class Said(Clock):
    """A clock that says what a test lets it say."""

    def __init__(self, used: float, waited: float | None) -> None:
        super().__init__()
        self.facts = used, waited
        self.begun = False

    def used(self) -> float:
        """Nothing before the first wait."""
        return self.facts[0] if self.begun else 0.0

    def waited(self) -> float | None:
        return self.facts[1]


def extended(used: float, waited: float | None, wall: float, seconds: float = 1.0) -> float:
    """How long one may wait in all after so much waiting."""
    clock = Said(used, waited)
    own = OwnDelay()
    own.close()
    allowance = Allowance(seconds, clock, own)
    allowance.begin()
    clock.begun, allowance.wall = True, wall
    allowance.extend()
    return allowance.allowed


def test_a_loop_on_a_quiet_machine_gets_its_seconds_and_no_more() -> None:
    assert extended(used=1.0, waited=0.0, wall=1.0) == 1.0


def test_a_process_that_was_starved_gets_what_it_was_starved_of() -> None:
    assert extended(used=0.25, waited=0.75, wall=1.0) == pytest.approx(1.75)
    assert extended(used=0.5, waited=0.5, wall=1.0) == pytest.approx(1.5)


def test_nobody_waits_longer_than_three_times_the_seconds() -> None:
    assert extended(used=0.1, waited=2.8, wall=2.9) == MOST
    assert extended(used=0.1, waited=10.0, wall=MOST) == 1.0


def test_a_sleeper_is_not_starved() -> None:
    assert extended(used=0.0, waited=0.0, wall=1.0) == 1.0


def test_where_the_system_does_not_say_who_waited_the_processor_time_decides() -> None:
    assert extended(used=0.25, waited=None, wall=1.0) == pytest.approx(1.75)


def test_threads_that_waited_together_count_for_no_more_than_the_time_that_passed() -> None:
    assert extended(used=0.5, waited=8.0, wall=1.0) == pytest.approx(1.5)


LOOP = "import sys\nprint('on', flush=True)\nwhile True: pass"
THREADS = """
import threading
def loop():
    while True: pass
threading.Thread(target=loop, daemon=True).start()
print('on', flush=True)
threading.Event().wait()
"""
SLEEP = "import time\nprint('on', flush=True)\ntime.sleep(60)"


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Clock]:
    """A process that runs this code, seen from here."""
    process = subprocess.Popen([sys.executable, "-c", request.param], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield Clock(process.pid)
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("running", [LOOP, THREADS], indirect=True, ids=["a loop", "a thread"])
def test_the_clock_of_another_process_counts_all_its_threads(running: Clock) -> None:
    before, until = running.used(), time.monotonic() + 30
    while running.used() - before < 0.05 and time.monotonic() < until:
        time.sleep(0.01)
    assert running.used() - before >= 0.05
    assert running.waited() is None or running.waited() >= 0.0  # type: ignore[operator]


@pytest.mark.parametrize("running", [SLEEP], indirect=True)
def test_a_sleeping_process_uses_nothing(running: Clock) -> None:
    before = running.used()
    time.sleep(0.1)
    assert running.used() - before < 0.05


def test_a_process_that_is_not_known_seems_to_use_whatever_time_goes_by() -> None:
    unknown = Clock()
    before = unknown.used()
    time.sleep(0.01)
    assert unknown.used() - before >= 0.01


def test_a_thread_that_has_ended_keeps_what_it_waited() -> None:
    clock = Clock(os.getpid())
    waits, ends = threading.Event(), threading.Event()

    def work() -> None:
        waits.set()
        ends.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    assert waits.wait(30)
    known = clock.waited()
    if known is None:
        pytest.skip("THE SYSTEM DOES NOT SAY who waited for a processor")
    name = str(thread.native_id)
    clock._waited[name] = 5.0
    ends.set()
    thread.join()
    assert (clock.waited() or 0.0) >= 5.0
    clock._waited[str(threading.get_native_id())] = 1e9  # another thread has this number now
    assert (clock.waited() or 0.0) >= 1e9
