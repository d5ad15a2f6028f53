"""What is worked out once is there for a process that is forked meanwhile."""

import os
import signal
import threading

from bncourse.grading.core.cached import cached_property


class Slow:
    """Has a value that takes as long as it is told to."""

    def __init__(self, begun: threading.Event | None = None, go_on: threading.Event | None = None) -> None:
        self.begun, self.go_on, self.times = begun, go_on, 0

    @cached_property
    def value(self) -> int:
        """One."""
        self.times += 1
        if self.begun and self.go_on:
            self.begun.set()
            assert self.go_on.wait(60)
        return 1


def test_a_value_is_worked_out_once_for_each_instance() -> None:
    one, two = Slow(), Slow()
    assert (one.value, one.value, one.times, two.times) == (1, 1, 1, 0)
    assert Slow.value.__doc__ == "One."
    one.__dict__["value"] = 2
    assert one.value == 2


def test_a_process_that_is_forked_while_another_thread_works_a_value_out_can_do_so() -> None:
    begun, go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: Slow(begun, go_on).value)
    thread.start()
    assert begun.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # it would wait for ever
        os._exit(Slow().value - 1)
    go_on.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
