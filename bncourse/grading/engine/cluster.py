"""Submissions in, records out, by the processes of a Dask cluster, with the same engine and the same marks.

Reading and the gradebook stay with the process that types the command; a worker that dies costs only
the units it was at, which others run again. Anyone who reaches a Dask scheduler can run code on its workers, so the
cluster must stand in a network that is trusted.
"""

import functools
import re
import threading
from concurrent.futures import CancelledError
from typing import Any

from bncourse.grading.core.environment import environment
from bncourse.grading.core.records import Master, SubmissionRecord
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.grader import Grader
from bncourse.grading.sandbox import bubblewrap
from bncourse.grading.sandbox.bubblewrap import GraderError
from bncourse.grading.submissions.submission import Submission

CONNECT_SECONDS = 10
LOOK_SECONDS = 10.0
LOOKS_WITHOUT_WORKERS = 6
MIN_IN_FLIGHT = 16

_ADDRESS = re.compile(r"(\w+://)?[^\s/]+:\d+")
_guard = threading.Lock()
_graders: dict[tuple[bubblewrap.Level, int], Grader] = {}
_masters: dict[str, Master] = {}
"""What a worker process keeps warm between units."""


class ClusterError(GraderError):
    """The cluster cannot be reached or used; one line that says why, and what to do."""


class ClusterGrader(Grader):
    """Grades submissions on a Dask cluster.

    Parameters
    ----------
    address : str
        The scheduler's, such as ``tcp://127.0.0.1:8786``.
    level, jobs, cache, seed
        As for `Grader`, but `jobs` is how many submissions are under way, by default twice as many as the workers
        have threads.

    Raises
    ------
    ClusterError
        If Dask is not installed, the scheduler does not answer, has no workers, or they run other versions.
    SandboxError
        If a layer that the level needs is missing where a worker runs.
    """

    def __init__(
        self,
        address: str,
        *,
        level: bubblewrap.Level = "full",
        jobs: int | None = None,
        cache: bool = True,
        seed: int = 0,
    ) -> None:
        self.address = address
        self._client = _connect(address)
        try:
            threads = sum(self._client.nthreads().values())
            super().__init__(
                level=level,
                jobs=jobs or max(MIN_IN_FLIGHT, 2 * threads),
                cache=cache,
                seed=seed,
            )
        except BaseException:
            self._client.close()
            raise

    def close(self) -> None:
        """Let the cluster go; its workers stay warm."""
        super().close()
        self._client.close()

    def check_machine(self) -> None:
        """Refuse where the cluster has no workers, or one of them cannot grade."""
        if not self._client.run(check_worker, self.level, environment()):
            raise ClusterError(f"The cluster at {self.address} has no workers. Start some: dask worker {self.address}")

    def prepare(self, master: Master) -> None:
        """Make sure that every worker can grade the assignment, before anything is written."""
        unit = (master.key, master, self.level, self.seed, environment())
        submit = self._client.submit
        futures = [submit(prepare_worker, *unit, pure=False, workers=[name]) for name in self._workers()]
        for future in futures:
            self._result(future)

    def run(self, master: Master, submission: Submission, digest: str) -> SubmissionRecord:
        """Have a worker run the submission; one that killed several workers is left to a person."""
        from distributed import KilledWorker

        unit = (master.key, master, submission, digest, self.level, self.seed, environment())
        future = self._client.submit(grade_unit, *unit, pure=False, retries=1)
        try:
            record: SubmissionRecord = self._result(future)
        except KilledWorker:
            attempt = Attempt(master, submission.reading)
            attempt.trouble("Several workers of the cluster died while they graded it.", last=True)
            record = self.record(attempt, submission.student, digest, 0.0)
        return record

    def _result(self, future: Any) -> Any:
        """Wait for a unit, as long as there is a worker to run it."""
        without = 0
        while True:
            try:
                return future.result(timeout=LOOK_SECONDS)
            except TimeoutError:
                without = 0 if self._workers() else without + 1
            except (CancelledError, OSError) as error:
                raise self._gone() from error
            if without >= LOOKS_WITHOUT_WORKERS:
                raise ClusterError(
                    f"The cluster at {self.address} has no workers left. Start again: what was graded is kept."
                )

    def _workers(self) -> list[str]:
        try:
            return list(self._client.nthreads())
        except (CancelledError, OSError) as error:
            raise self._gone() from error

    def _gone(self) -> ClusterError:
        return ClusterError(f"The scheduler at {self.address} went away. Start again: what was graded is kept.")


def grade_unit(
    key: str,
    master: Master,
    submission: Submission,
    digest: str,
    level: bubblewrap.Level,
    seed: int,
    expected: str,
) -> SubmissionRecord:
    """Grade one submission in a worker process, by its warm grader."""
    grader, master = _warm(key, master, level, seed, expected)
    return grader.run(master, submission, digest)


def prepare_worker(key: str, master: Master, level: bubblewrap.Level, seed: int, expected: str) -> None:
    """Refuse where this worker process cannot grade the assignment."""
    grader, master = _warm(key, master, level, seed, expected)
    grader.prepare(master)


def _warm(key: str, master: Master, level: bubblewrap.Level, seed: int, expected: str) -> tuple[Grader, Master]:
    """This process's grader, and its own copy of the master."""
    check_worker(level, expected)
    with _guard:
        if (level, seed) not in _graders:
            _graders[level, seed] = Grader(level=level, cache=False, seed=seed)
        return _graders[level, seed], _masters.setdefault(key, master)


@functools.cache
def check_worker(level: bubblewrap.Level, expected: str) -> bool:
    """Refuse where this process cannot grade as the others do.

    Raises
    ------
    ClusterError
        If its versions are not the expected ones.
    SandboxError
        If a layer of the sandbox is missing.
    """
    if environment() != expected:
        raise ClusterError(f"A worker of the cluster has {environment()}, and here is {expected}. Install the same.")
    bubblewrap.probe().require(level)
    return True


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError("A cluster needs Dask. Type: pip install 'bncourse[cluster]'") from error
    wrong = ClusterError(
        f"No Dask scheduler answers at {address!r}. Expected an address such as tcp://127.0.0.1:8786; "
        "`dask scheduler` prints it."
    )
    if not _ADDRESS.fullmatch(address):
        raise wrong
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise wrong from error
