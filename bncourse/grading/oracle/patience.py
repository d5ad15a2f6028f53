"""How long a student's code may take: what a busy machine adds to its time is not counted, up to a bound.

Nobody is asked to be quiet for a measurement, and nothing is tried again: a cell that has used up its seconds by the
clock gets as many more as it was starved of, and three times its seconds at most.
"""

import contextlib
import os
import time
from pathlib import Path

MOST = 3.0
"""How many times its seconds a cell may take by the clock, however busy the machine is."""
LEAST = 1e-3
"""Seconds; less is nothing."""
OWN_TIMES, OWN_SECONDS = 2.0, 10.0
"""A cell may use the oracle's processor for so many times the student's seconds, and so many more."""
LOOK_SECONDS = 0.1
"""How often one looks at the threads of a process: what a thread had waited is not said after its end."""
SHORT = 0.01
"""Of its seconds a cell may wait so much, and `LOOK_SECONDS` at most, before the machine is asked what it takes."""


class Clock:
    """What a process has used, seen from another one.

    Parameters
    ----------
    process : int
        Its number here; 0 where it is not known, so that it seems to use whatever time goes by.
    """

    def __init__(self, process: int = 0) -> None:
        self.process = process
        self._waited: dict[str, float] = {}
        """By thread, as it was said last."""
        self._ended = 0.0
        """By threads whose numbers others have by now."""

    def used(self) -> float:
        """Seconds of processor time of all its threads."""
        if self.process:
            with contextlib.suppress(OSError):  # as clock_getcpuclockid(3) makes its number
                return time.clock_gettime((~self.process << 3) | 2)
        return time.monotonic()

    def look(self) -> None:
        """Read how long each thread has waited for a processor; those that have ended keep what they had."""
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{self.process}/task").iterdir():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    said = int((thread / "schedstat").read_text().split()[1]) / 1e9
                    before = self._waited.get(thread.name, 0.0)
                    self._ended += before if said < before else 0.0
                    self._waited[thread.name] = said

    def waited(self) -> float | None:
        """Seconds for which its threads were ready to run and had no processor; None where the system does not say."""
        self.look()
        return self._ended + sum(self._waited.values()) if self._waited else None


class OwnDelay:
    """Seconds for which this process was ready to run and had no processor."""

    def __init__(self) -> None:
        self._file = -1
        with contextlib.suppress(OSError):
            self._file = os.open("/proc/self/schedstat", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the file that says it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def now(self) -> float:
        """Since the process began; 0 where the system does not say."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(os.pread(self._file, 100, 0).split()[1]) / 1e9
        return 0.0


class Allowance:
    """Seconds for some of the student's work.

    Parameters
    ----------
    seconds : float
        How many, on a quiet machine.
    clock : Clock
        Of the student's process.
    own : OwnDelay
        Of this one.
    """

    def __init__(self, seconds: float, clock: Clock, own: OwnDelay) -> None:
        self.seconds, self.clock, self.own = seconds, clock, own
        self.allowed, self.wall = seconds, 0.0
        """Seconds by the clock that may be waited, and those that have been."""
        self._began: tuple[float, float, float] | None = None
        """What had been waited, used and delayed when this began to ask what the machine's other work takes."""

    def begin(self, waited: float = 0.0) -> None:
        """Ask from here on what the machine's other work takes, `waited` seconds into the present wait."""
        if self._began is None:
            self._began = self.wall + waited, self.clock.used(), self.own.now()

    def spend(self, seconds: float) -> bool:
        """Take off what was waited; returns whether anything is left. Short waits are not asked about."""
        self.wall += seconds
        if self._began is None and self.wall > min(LOOK_SECONDS, SHORT * self.seconds):
            self.begin()
        return self.left > LEAST or self.extend()

    @property
    def left(self) -> float:
        """Seconds by the clock until this must be extended."""
        return self.allowed - self.wall

    def starved(self) -> float:
        """How much of the time waited the machine's other work took."""
        if self._began is None:
            return 0.0
        wall, used, delay = self._began
        idle = max(0.0, self.wall - wall - (self.clock.used() - used))
        waited = self.clock.waited()
        return idle if waited is None else min(idle, waited + self.own.now() - delay)

    def charged(self) -> float:
        """Seconds that count."""
        return self.wall - self.starved() if self.wall > LEAST else self.wall

    def extend(self) -> bool:
        """Allow as much more as the machine has taken; returns whether anything is left."""
        more = min(self.seconds - self.charged(), MOST * self.seconds - self.wall)
        if more > LEAST:
            self.allowed = self.wall + more
        return self.left > LEAST
