"""A lock that many may hold together, or one alone: for what must be timed on a quiet machine."""

import contextlib
import threading
from collections.abc import Iterator


class Alone:
    """Grant entry to many at a time, or to one that waits until the others have left."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self._waiting = 0
        self._taken = False

    @contextlib.contextmanager
    def guard(self, *, alone: bool) -> Iterator[None]:
        """Enter, together with others or alone."""
        with self._condition:
            if alone:
                self._waiting += 1
                self._condition.wait_for(lambda: not self._taken and self._inside == 0)
                self._waiting -= 1
                self._taken = True
            else:
                self._condition.wait_for(lambda: not self._taken and self._waiting == 0)
                self._inside += 1
        try:
            yield
        finally:
            with self._condition:
                if alone:
                    self._taken = False
                else:
                    self._inside -= 1
                self._condition.notify_all()
