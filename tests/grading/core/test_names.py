"""Code is parsed by one thread at a time, in every process."""

import os
import signal
import threading
import time

from bncourse.grading.core import names


def test_a_process_that_is_forked_while_another_thread_parses_can_parse() -> None:
    begun = threading.Event()

    def parse_slowly() -> None:
        with names._ONE_AT_A_TIME:
            begun.set()
            time.sleep(0.2)

    thread = threading.Thread(target=parse_slowly)
    thread.start()
    assert begun.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # it would wait for ever
        names.parse("x = 1")
        os._exit(0)
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
