"""Grade submissions: read, run in the two compartments, repeat what died, and say what became of each.

`Grader` is the one door: `bncourse grade`, nbgrader's preprocessor and the tests all come in by it.
"""

import base64
import dataclasses
import hashlib
import json
import os
import platform
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, NamedTuple, Self

from bncourse.grading import render, sandbox
from bncourse.grading.alone import Alone
from bncourse.grading.lanes import Lane, LaneError
from bncourse.grading.looks import looks
from bncourse.grading.plan import Plan
from bncourse.grading.records import Master, SubmissionRecord
from bncourse.grading.repair import Reading, read_submission
from bncourse.grading.status import status_of, unreadable

__all__ = ["Grader", "read_submission"]

MAX_PASSES = 12
"""Restarts of one submission, before what is left is given up."""
STARVED = 0.7
"""Below this share of CPU time, a timeout may be the machine's and not the student's: it is retried alone."""


class _Pass(NamedTuple):
    ended: bool
    message: dict[str, Any]
    cpu_share: float


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

    Raises
    ------
    SandboxError
        If a layer that the level needs is missing.
    """

    def __init__(
        self, *, level: sandbox.Level = "full", jobs: int | None = None, cache: bool = True, seed: int = 0
    ) -> None:
        sandbox.probe().require(level)
        self.level, self.seed = level, seed
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self._cache: dict[str, SubmissionRecord] | None = {} if cache else None
        self._lanes: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        self._open: list[Lane] = []
        self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="lane")
        self._alone = Alone()
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        self._pool.shutdown(cancel_futures=True)
        for lane in self._open:
            lane.close()
        self._open.clear()

    def grade(self, master: Master, student: str, raw: bytes) -> SubmissionRecord:
        """Grade one submission; never raises for what a student handed in."""
        reading = read_submission(master, raw)
        digest = self.digest(master, reading)
        if reading.reason:
            record = unreadable(master, reading, self._blank(master, student, digest))
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
        parts = [
            render.fingerprint(master),
            reading.answers,
            reading.extras,
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

    def _cached(self, master: Master, student: str, reading: Reading, digest: str) -> SubmissionRecord:
        known = self._cache.get(digest) if self._cache is not None else None
        if known is None:
            known = self._grade(master, student, reading, digest)
            if self._cache is not None and len(self._cache) < 5_000 and known.status != "needs review":
                self._cache[digest] = known
        record = dataclasses.replace(known, student=student, repairs=reading.repairs)
        return dataclasses.replace(record, status=status_of(record))

    def _grade(self, master: Master, student: str, reading: Reading, digest: str) -> SubmissionRecord:
        start = time.monotonic()
        plan = Plan(master, reading)
        for attempt in range(3):
            try:
                self._passes(plan, start)
                break
            except LaneError as error:
                plan.trouble(str(error), last=attempt == 2)
        record = dataclasses.replace(
            self._blank(master, student, digest),
            verdicts=plan.all_verdicts(),
            repairs=reading.repairs,
            notes=plan.all_notes(),
            outputs=plan.all_outputs(),
            reason=plan.reason or looks(plan.master, reading),
            seconds=round(time.monotonic() - start, 3),
        )
        return dataclasses.replace(record, status=status_of(record))

    def _passes(self, plan: Plan, start: float) -> None:
        """Run passes until every test cell has its verdict."""
        retried = 0
        passes = 0
        while plan.open_tests():
            if passes >= MAX_PASSES or time.monotonic() - start > plan.master.seconds_in_all:
                plan.give_up("timeout" if passes < MAX_PASSES else "crashed")
                return
            passes += 1
            late = self._one_pass(plan, alone=False)
            if late is not None and late.cpu_share < STARVED and retried < 2:
                retried += 1
                late = self._one_pass(plan, alone=True)
            if late is not None:
                plan.accept(late.message)

    def _one_pass(self, plan: Plan, *, alone: bool) -> _Pass | None:
        """Run once through the steps; returns what cut the pass short, if anything did."""
        with self._alone.guard(alone=alone):
            lane = self._take()
            try:
                result = self._run(lane, plan)
            except BaseException:
                self._drop(lane)
                raise
            self._lanes.put(lane)
        return result

    def _run(self, lane: Lane, plan: Plan) -> _Pass | None:
        master = plan.master
        key = render.fingerprint(master)
        lane.teach(master, key)
        zygote = lane.zygote(allowed(master), preloaded(master, plan.text))
        job = {"key": key, "steps": plan.steps(), "seed": self.seed, "cpu_seconds": int(master.seconds_in_all) + 10}
        start = time.monotonic()
        cut: dict[str, Any] | None = None
        for message in lane.run(job, zygote, lambda: 3 * master.seconds_per_test + 30):
            if "verdict" in message:
                plan.take_verdict(message)
            elif "ran" in message:
                plan.take_output(message, [base64.b64decode(p) for p in message["pictures"]])
            elif "dead" in message or "overdue" in message:
                cut = message
        if cut is None:
            return None
        share = lane.last.get("cpu", 0.0) / max(1e-3, time.monotonic() - start)
        if plan.died_late(cut):
            return _Pass(False, cut, share)
        plan.accept(cut | {"signal": lane.last.get("ended")})
        return None

    def _take(self) -> Lane:
        try:
            return self._lanes.get_nowait()
        except queue.Empty:
            lane = Lane(self.level)
            with self._guard:
                self._open.append(lane)
            return lane

    def _drop(self, lane: Lane) -> None:
        with self._guard:
            if lane in self._open:
                self._open.remove(lane)
        lane.close()


def allowed(master: Master) -> tuple[str, ...]:
    """Top-level modules that exist in the sandbox: the master's, and Matplotlib for plots in between."""
    return tuple(dict.fromkeys(("numpy", "matplotlib", *master.imports)))


def preloaded(master: Master, text: str) -> tuple[str, ...]:
    """Modules that are loaded before the fork."""
    heavy = [name for name in ("torch",) if name in master.imports]
    return ("numpy", *heavy, *(["matplotlib.pyplot"] if "matplotlib" in text or "plt." in text else []))


def environment() -> str:
    """Versions that a result depends on."""
    parts = [f"python {platform.python_version()}"]
    for name in ("numpy", "torch", "bncourse"):
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(parts)
