"""A master and submissions in; their records out, run in the sandbox and repeated where the grader itself failed.

`bncourse grade`, nbgrader's preprocessor and the tests all use one class, `Grader`.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from bncourse.grading.core.closing import Closing
from bncourse.grading.core.environment import allowed, environment, preloaded
from bncourse.grading.core.plain_text import inert
from bncourse.grading.core.records import Master, SubmissionRecord
from bncourse.grading.core.status import given_up, status_of, to_review, unreadable
from bncourse.grading.engine.attempt import Attempt, Phase
from bncourse.grading.engine.missing_names import charge_once, with_names
from bncourse.grading.engine.preflight import Trials
from bncourse.grading.engine.slips import with_slips_put_right
from bncourse.grading.engine.substitutes import keep_what_passes, with_substitutes
from bncourse.grading.engine.worker_pool import Lane, LaneError, Patience, WorkerPool
from bncourse.grading.oracle.patience import MOST, OWN_SECONDS, OWN_TIMES
from bncourse.grading.sandbox import bubblewrap
from bncourse.grading.sandbox.limited_process import CallEnded, LimitedProcess
from bncourse.grading.submissions.missing_names import Mended, mended_answers
from bncourse.grading.submissions.review_flags import looks
from bncourse.grading.submissions.slips import answers_without_slips
from bncourse.grading.submissions.submission import Submission, submission_of

MAX_CACHED = 5_000
MAX_PASSES = 12
"""Restarts of one submission, before what is left is given up."""
OVERDUE_SECONDS, OVERDUE_OWN_SECONDS = 120.0, 5.0
"""How much longer than a test may take the oracle's next report is waited for: by the clock, and in its own time."""


class _Cut(NamedTuple):
    """What ended a pass."""

    message: dict[str, Any]
    phase: Phase


class Grader(Closing):
    """Grades submissions in the sandbox.

    Parameters
    ----------
    level : {"full", "no-filter", "user", "process"}
        The sandbox; anything but `full` is lowered by name, and the records say so.
    jobs : int, optional
        Lanes that grade side by side; by default the number of processors.
    cache : bool
        Grade identical answers once.
    seed : int
        What the seeds of all cells are derived from.

    Raises
    ------
    SandboxError
        If a layer that the level needs is missing.
    """

    def __init__(
        self,
        *,
        level: bubblewrap.Level = "full",
        jobs: int | None = None,
        cache: bool = True,
        seed: int = 0,
    ) -> None:
        self.level, self.seed = level, seed
        self.check_machine()
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self._cache: dict[str, SubmissionRecord] | None = {} if cache else None
        self._lanes = WorkerPool(level)
        self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="lane")
        self._texts = LimitedProcess({"names": mended_answers, "slips": answers_without_slips})
        self.trials = Trials(self._passes)

    def check_machine(self) -> None:
        """Refuse where a layer of the sandbox is missing."""
        bubblewrap.probe().require(self.level)

    def close(self) -> None:
        """End all processes."""
        self._pool.shutdown(cancel_futures=True)
        self._lanes.close()
        self._texts.close()

    def prepare(self, master: Master) -> None:
        """Make sure that submissions can be graded, before anything is written; raises a GraderError if not."""
        self.trials.doubtful(master)

    def grade(self, master: Master, student: str, raw: bytes) -> SubmissionRecord:
        """Grade the bytes of one notebook; never raises for what a student handed in."""
        return self.grade_submission(master, submission_of(master, student, raw))

    def grade_submission(self, master: Master, submission: Submission) -> SubmissionRecord:
        """Grade one submission; never raises for what a student handed in."""
        try:
            return self._grade(master, submission)
        except bubblewrap.GraderError:
            raise
        except Exception as error:  # whatever one submission makes of us, the others are graded
            blank = self._blank(master, submission.student, "")
            return to_review(
                master, blank, f"the grader failed on it ({type(error).__name__}: {inert(str(error), 200)})"
            )

    def _grade(self, master: Master, submission: Submission) -> SubmissionRecord:
        digest = self.digest(master, submission)
        reading = submission.reading
        if reading.reason:
            blank = self._blank(master, submission.student, digest)
            return unreadable(master, dataclasses.replace(blank, reason=reading.reason, repairs=reading.repairs))
        known = self._cache.get(digest) if self._cache is not None else None
        ran = known or self.run(master, submission, digest)
        if known is None and self._cache is not None and len(self._cache) < MAX_CACHED and not given_up(ran):
            self._cache[digest] = ran
        notes = (*submission.notes, *ran.notes)
        record = dataclasses.replace(ran, student=submission.student, repairs=reading.repairs, notes=notes)
        return dataclasses.replace(record, status=status_of(record))

    def grade_all(
        self, master: Master, submissions: Iterable[Submission]
    ) -> Iterator[tuple[Submission, SubmissionRecord]]:
        """Grade many submissions side by side; yields each with its record as it is ready, in any order."""
        waiting = dict[Future[SubmissionRecord], Submission]()
        done: queue.SimpleQueue[Future[SubmissionRecord]] = queue.SimpleQueue()

        def finish() -> tuple[Submission, SubmissionRecord]:
            future = done.get()
            return waiting.pop(future), future.result()

        for submission in submissions:
            future = self._pool.submit(self.grade_submission, master, submission)
            waiting[future] = submission
            future.add_done_callback(done.put)
            while len(waiting) >= 2 * self.jobs:
                yield finish()
        while waiting:
            yield finish()

    def grade_many(self, master: Master, notebooks: Iterable[tuple[str, bytes]]) -> Iterator[SubmissionRecord]:
        """Grade the bytes of many students' notebooks side by side; yields records in any order."""
        submissions = (submission_of(master, student, raw) for student, raw in notebooks)
        return (record for _, record in self.grade_all(master, submissions))

    def digest(self, master: Master, submission: Submission) -> str:
        """SHA-256 of what decides a grade: answers, added cells, tests, seed, level and environment."""
        key, reading = master.key, submission.reading
        parts = [
            key,
            reading.answers,
            reading.extras,
            reading.moved,
            reading.looks,
            self.seed,
            self.level,
            environment(),
            reading.reason,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    # --- one submission ---

    def _blank(self, master: Master, student: str, digest: str) -> SubmissionRecord:
        return SubmissionRecord(
            student=student,
            assignment=master.assignment,
            status="unreadable",
            verdicts=(),
            digest=digest,
            level=self.level,
            environment=environment(),
            seed=self.seed,
        )

    def run(self, master: Master, submission: Submission, digest: str) -> SubmissionRecord:
        """Run a submission's code and the tests on it, whatever was graded before."""
        start = time.monotonic()
        attempt = Attempt(master, submission.reading)
        self.carry_out(attempt)
        for put_right, look in ((with_names, "names"), (with_slips_put_right, "slips")):
            again = put_right(attempt, partial(self._looked, look))
            if again is not None:
                self.carry_out(again)
                charge_once(attempt, again)
        for other in with_substitutes(attempt):
            self.carry_out(other)
            keep_what_passes(attempt, other)
        return self.record(attempt, submission.student, digest, time.monotonic() - start)

    def _looked(self, what: str, *arguments: Any) -> dict[str, Mended]:
        """Look for the names that answers lack, or for slips; for none where that takes too long."""
        try:
            found: dict[str, Mended] = self._texts.call(what, *arguments)
        except CallEnded:
            return {}
        return found

    def carry_out(self, attempt: Attempt) -> None:
        """Run what is open of an attempt, repeating what fails for our own reasons."""
        attempt.doubt(self.trials.doubtful(attempt.master))
        for turn in range(3):
            try:
                self._passes(attempt)
                break
            except LaneError as error:
                attempt.trouble(str(error), last=turn == 2)

    def record(self, attempt: Attempt, student: str, digest: str, seconds: float) -> SubmissionRecord:
        """What an attempt that was carried out has found."""
        record = dataclasses.replace(
            self._blank(attempt.master, student, digest),
            verdicts=attempt.all_verdicts(),
            repairs=attempt.reading.repairs,
            notes=attempt.all_notes(),
            outputs=attempt.all_outputs(),
            reason=attempt.reason or looks(attempt.reading, attempt.measured),
            seconds=round(seconds, 3),
        )
        return dataclasses.replace(record, status=status_of(record))

    def _passes(self, attempt: Attempt) -> None:
        """Run passes until what cells show is known, every test cell has its verdict, and every verdict its words."""
        todo: dict[Phase, Callable[[], list[str]]] = {
            "preview": attempt.unpreviewed,
            "grade": attempt.open_tests,
            "explain": attempt.unexplained,
        }
        ahead: _Cut | None = None
        for phase, left in todo.items():
            passes = 0
            while left() and passes < MAX_PASSES:
                passes += 1
                cut, ahead = ahead or self._one_pass(attempt, phase), None
                if cut is None:
                    attempt.end(phase)
                elif cut.phase != phase:  # this one has ended, and the next, which ran behind it, was cut short
                    attempt.end(phase)
                    ahead = cut
                else:
                    attempt.accept(cut.message, phase)
            attempt.end(phase)
        attempt.give_up("crashed")

    def _one_pass(self, attempt: Attempt, phase: Phase) -> _Cut | None:
        """Run once through the steps; returns what cut the pass short, if anything did."""
        with self._lanes.one() as lane:
            return self._run(lane, attempt, phase)

    def _run(self, lane: Lane, attempt: Attempt, phase: Phase) -> _Cut | None:
        master = attempt.master
        key = master.key
        forkserver = lane.forkserver(
            allowed(master), preloaded(master, attempt.text)
        )  # gets ready while the oracle does
        lane.teach(master, key)
        forkserver.wait_ready()
        forkserver.learn(key, attempt.given)
        phases: tuple[Phase, ...] = ("preview", "grade") if phase == "preview" else (phase,)
        job = attempt.job(self.seed, phases)
        own = OWN_TIMES * job["seconds"] + OWN_SECONDS
        patience = Patience(MOST * job["seconds"] + OVERDUE_SECONDS, own + OVERDUE_OWN_SECONDS)
        cut: dict[str, Any] = {}
        with contextlib.closing(lane.run(job, forkserver, patience)) as reports:
            for message in reports:
                attempt.take(message)
                if "dead" in message or "overdue" in message:
                    cut = message
                if "done" in message and message["done"] != phases[-1] and not message["alone"]:
                    phase = phases[-1]
        return _Cut(cut | {"signal": lane.last.get("ended")}, phase) if cut else None
