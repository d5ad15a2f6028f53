"""A master in; the tests that its own solution does not pass out, before any student is graded by them.

One test that it does not pass is left to a person, for everybody. Where nothing can be graded at all, because a
process does not start or a library is missing, the run is refused with one line.
"""

import re
import threading
from collections.abc import Callable, Iterator

from bncourse.grading.core.extras import EXTRAS
from bncourse.grading.core.records import Master
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.worker_pool import LaneError, StartError
from bncourse.grading.submissions.complete import complete
from bncourse.grading.submissions.read import Reading

ATTEMPTS = 3
_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_IMPORT = re.compile(r"\b(?:ImportError|ModuleNotFoundError): .*")


class Trials:
    """Tries each master once.

    Parameters
    ----------
    carry_out : callable
        Runs an attempt until every test has its verdict.
    """

    def __init__(self, carry_out: Callable[[Attempt], None]) -> None:
        self._carry_out = carry_out
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._doubtful: dict[str, list[str]] = {}

    def doubtful(self, master: Master) -> list[str]:
        """The test cells that the master's own solution does not pass: nobody can be graded by them.

        Raises
        ------
        StartError
            If nobody can be graded by any of them; one line with the cause and the way out.
        """
        key = master.key
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._doubtful:
                self._doubtful[key] = self._try(master)
        return self._doubtful[key]

    def _try(self, master: Master) -> list[str]:
        attempt = Attempt(master, own_solution(master))
        for turn in range(ATTEMPTS):
            try:
                self._carry_out(attempt)
                break
            except LaneError as error:
                if turn == ATTEMPTS - 1:
                    raise StartError(
                        f"{master.assignment} cannot be graded: the grader's own process failed on the master's "
                        f"solution ({error}). `bncourse doctor` says what is missing."
                    ) from error
        return doubtful_tests(attempt)


def doubtful_tests(attempt: Attempt) -> list[str]:
    """What an attempt with the master's own solution says about its tests: which of them nobody can be graded by.

    Raises
    ------
    StartError
        If that is all of them, or something is missing that they need.
    """
    failed = [verdict for verdict in attempt.all_verdicts() if verdict.points < verdict.max_points]
    if not failed:
        return []
    broken = next(_broken_imports(attempt), "")
    if broken:
        raise StartError(f"{attempt.master.assignment} cannot be graded here: {broken}. {remedy(broken)}")
    if len(failed) == len(attempt.all_verdicts()):
        said = next((line for v in failed for line in v.message.splitlines() if line), failed[0].outcome)
        raise StartError(
            f"{attempt.master.assignment} cannot be graded: its own solution passes none of its tests. The first, "
            f"{failed[0].grade_id}, says: {said} Correct the master, then type: "
            f"bncourse release {attempt.master.assignment}"
        )
    return [verdict.grade_id for verdict in failed]


def own_solution(master: Master) -> Reading:
    """The master's own answers, as if somebody had handed them in."""
    answers = {cell.grade_id: cell.source for cell in master.cells if cell.kind in ("answer", "written")}
    return complete(master, Reading(answers, (), ""))


def remedy(broken: str) -> str:
    """How to put right what an import says.

    >>> remedy("ModuleNotFoundError: No module named 'torch'")
    "Install it: pip install 'bncourse[torch]'"
    >>> remedy("ImportError: cannot import name 'check' from 'bncourse.diagnosis.checks'")
    'Correct that import in the master, or install what it asks for.'
    """
    found = _NO_MODULE.search(broken)
    if found is None or found[1].startswith("bncourse"):
        return "Correct that import in the master, or install what it asks for."
    top = found[1].split(".")[0]
    return f"Install it: pip install {repr(f'bncourse[{EXTRAS[top]}]') if top in EXTRAS else top}"


def _broken_imports(attempt: Attempt) -> Iterator[str]:
    """What could not be imported for the tests, and for the master's own cells beside the answers."""
    yield from attempt.broken
    for note in attempt.all_notes():
        found = _IMPORT.search(note)
        if found:
            yield found[0]
