"""Grade submissions: read, run in the two compartments, repeat what died, and say what became of each.

`Grader` is the one door: `bncourse grade`, nbgrader's preprocessor and the tests all come in by it.
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
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from bncourse.grading.core.environment import allowed, environment, preloaded
from bncourse.grading.core.known import known
from bncourse.grading.core.records import Master, SubmissionRecord
from bncourse.grading.core.status import given_up, status_of, unreadable
from bncourse.grading.engine.attempt import Phase, Plan
from bncourse.grading.engine.exclusive import Alone
from bncourse.grading.engine.keeping import Keeping
from bncourse.grading.engine.preflight import Trials
from bncourse.grading.engine.worker_pool import Lane, LaneError, Lanes
from bncourse.grading.oracle.transcript import Pass
from bncourse.grading.sandbox import bubblewrap
from bncourse.grading.submissions.read import Reading, read_submission
from bncourse.grading.submissions.review_flags import looks

__all__ = ["Grader", "environment", "read_submission"]

MAX_RETRIES = 1
MAX_CACHED = 5_000
MAX_PASSES = 12
"""Restarts of one submission, before what is left is given up."""
STARVED = 1.25
"""Where the machine made the code so many times slower, a timeout is retried alone and with so much more time."""
MAX_STRETCH = 10.0


class _Cut(NamedTuple):
    """What ended a pass, and how many times slower the machine's other work made it."""

    message: dict[str, Any]
    slowdown: float
    phase: Phase
    seconds: float
    """What the pass took, the machine's other work aside."""


class Grader:
    """Grades submissions in the sandbox.

    Parameters
    ----------
    level : {"full", "no-filter", "process"}
        The sandbox; anything but `full` is lowered by name, and the records say so.
    jobs : int, optional
        Lanes that grade side by side; by default the number of processors.
    cache : bool
        Grade identical answers once.
    seed : int
        What the seeds of all cells are derived from.
    journal : Path, optional
        Where to keep what was graded, so that a run that was killed goes on where it stood.
    transcripts : Path, optional
        Where to keep what students' code answered, for trying a changed test without it.

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
        journal: Path | None = None,
        transcripts: Path | None = None,
    ) -> None:
        self.level, self.seed = level, seed
        self.check_machine()
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self._cache: dict[str, SubmissionRecord] | None = {} if cache else None
        self._keeping = Keeping(journal, transcripts)
        self._lanes = Lanes(level)
        self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="lane")
        self._alone = Alone()
        self.trials = Trials(self._passes, lambda plan: self._keeping.keep(plan, self.level))

    def check_machine(self) -> None:
        """Refuse where a layer of the sandbox is missing."""
        bubblewrap.probe().require(self.level)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        self._pool.shutdown(cancel_futures=True)
        self._lanes.close()
        self._keeping.close()

    def prepare(self, master: Master) -> None:
        """Make sure that submissions can be graded, before anything is written; raises a GraderError if not."""
        self.trials.doubtful(master)
        self._keeping.journal()

    def grade(self, master: Master, student: str, raw: bytes) -> SubmissionRecord:
        """Grade one submission; never raises for what a student handed in."""
        reading = read_submission(master, raw)
        digest = self.digest(master, reading)
        if reading.reason:
            blank = self._blank(master, student, digest)
            record = unreadable(master, dataclasses.replace(blank, reason=reading.reason, repairs=reading.repairs))
        else:
            record = self._cached(master, student, reading, digest)
        return record

    def grade_many(self, master: Master, submissions: Iterable[tuple[str, bytes]]) -> Iterator[SubmissionRecord]:
        """Grade many submissions side by side; yields records as they are ready, in any order."""
        waiting: set[Future[SubmissionRecord]] = set()
        done: queue.SimpleQueue[Future[SubmissionRecord]] = queue.SimpleQueue()

        def finish() -> SubmissionRecord:
            future = done.get()
            waiting.discard(future)
            return future.result()

        for student, raw in submissions:
            future = self._pool.submit(self.grade, master, student, raw)
            waiting.add(future)
            future.add_done_callback(done.put)
            while len(waiting) >= 2 * self.jobs:
                yield finish()
        while waiting:
            yield finish()

    def digest(self, master: Master, reading: Reading) -> str:
        """SHA-256 of what decides a grade: answers, added cells, tests, seed, level and environment."""
        key, where = known(master).key, environment()
        parts = [key, reading.answers, reading.extras, self.seed, self.level, where, reading.reason]
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

    def _cached(self, master: Master, student: str, reading: Reading, digest: str) -> SubmissionRecord:
        """Grade, unless the same answers were graded before, now or in a run that was cut short."""
        known = self._cache.get(digest) if self._cache is not None else None
        journal = self._keeping.journal()
        if known is None and journal is not None:
            known = journal.find(digest, None if self._cache is not None else student)
        fresh = known is None
        if known is None:
            known = self.grade_reading(master, student, reading, digest)
        record = dataclasses.replace(known, student=student, repairs=reading.repairs)
        record = dataclasses.replace(record, status=status_of(record))
        if journal is not None and journal.find(digest, student) is None and not given_up(record):
            journal.append(record)
        if fresh and self._cache is not None and len(self._cache) < MAX_CACHED and not given_up(record):
            self._cache[digest] = record
        return record

    def grade_reading(self, master: Master, student: str, reading: Reading, digest: str) -> SubmissionRecord:
        """Run what was read, whatever was graded before."""
        start = time.monotonic()
        plan = Plan(master, reading)
        self.carry_out(plan)
        self._keeping.keep(plan, self.level)
        return self.record(plan, student, digest, time.monotonic() - start)

    def carry_out(self, plan: Plan) -> None:
        """Run what is open of a plan, repeating what fails for our own reasons."""
        plan.doubt(self.trials.doubtful(plan.master))
        for attempt in range(3):
            try:
                self._passes(plan)
                break
            except LaneError as error:
                plan.trouble(str(error), last=attempt == 2)

    def record(self, plan: Plan, student: str, digest: str, seconds: float) -> SubmissionRecord:
        """What a plan that was carried out has found."""
        record = dataclasses.replace(
            self._blank(plan.master, student, digest),
            verdicts=plan.all_verdicts(),
            repairs=plan.reading.repairs,
            notes=plan.all_notes(),
            outputs=plan.all_outputs(),
            reason=plan.reason or looks(plan.master, plan.reading),
            seconds=round(seconds, 3),
        )
        return dataclasses.replace(record, status=status_of(record))

    def _passes(self, plan: Plan) -> None:
        """Run passes until what cells show is known, every test cell has its verdict, and every verdict its words."""
        todo: dict[Phase, Callable[[], list[str]]] = {
            "show": plan.unshown,
            "mark": plan.open_tests,
            "tell": plan.untold,
        }
        ahead: _Cut | None = None
        for phase, left in todo.items():
            passes = retried = 0
            stretch = 1.0
            while left() and passes < MAX_PASSES:
                passes += 1
                cut, ahead = ahead or self._one_pass(plan, phase, stretch), None
                stretch = 1.0
                if cut is None:
                    plan.end(phase)
                elif cut.phase != phase:  # this one has ended, and the next, which ran behind it, was cut short
                    plan.end(phase)
                    ahead = cut
                elif cut.slowdown > STARVED and retried < MAX_RETRIES:
                    stretch, plan.spent = 1.5 * cut.slowdown, 0.0
                    retried += 1
                else:
                    plan.spent += cut.seconds
                    plan.accept(cut.message, phase)
            plan.end(phase)
        plan.give_up("crashed")

    def _one_pass(self, plan: Plan, phase: Phase, stretch: float) -> _Cut | None:
        """Run once through the steps, alone if time is stretched; returns what cut the pass short, if anything did."""
        with self._alone.guard(alone=stretch > 1), self._lanes.one() as lane:
            return self._run(lane, plan, phase, stretch)

    def _run(self, lane: Lane, plan: Plan, phase: Phase, stretch: float) -> _Cut | None:
        master = plan.master
        key = known(master).key
        zygote = lane.zygote(allowed(master), preloaded(master, plan.text))  # gets ready while the oracle does
        lane.teach(master, key)
        zygote.wait_ready()
        zygote.learn(master, key)
        phases: tuple[Phase, ...] = ("show", "mark") if phase == "show" and stretch == 1 else (phase,)
        job = plan.job(self.seed, stretch, phases) | {"record": self._keeping.transcripts}
        began = start = time.monotonic()
        deadline = start + max(0.1, stretch * master.seconds_in_all - plan.spent)
        patience = 3 * job["seconds"] + 30
        cut: dict[str, Any] = {}
        with contextlib.closing(lane.run(job, zygote, lambda: min(patience, deadline - time.monotonic()))) as reports:
            for message in reports:
                plan.take(message)
                if "dead" in message or "overdue" in message:
                    cut = message
                if time.monotonic() > deadline and "done" not in message:
                    cut = {"overdue": True, "in_all": True}
                    break
                if "done" in message and message["done"] != phases[-1] and not message["alone"]:
                    phase, start = phases[-1], time.monotonic()
                    deadline = start + max(0.1, master.seconds_in_all)
        if phase == "mark":
            plan.passes.append(Pass(lane.answers, cut.get("cell", ""), lane.last.get("ended")))
        if not cut:
            return None
        now = time.monotonic()
        running = max(now - began - lane.last.get("waited", 0.0), (now - began) / MAX_STRETCH)
        slowdown = (now - began) / running
        seconds = (now - start) / slowdown
        if cut.get("dead") == "crashed":
            slowdown = 1.0
        return _Cut(cut | {"signal": lane.last.get("ended")}, slowdown, phase, seconds)
