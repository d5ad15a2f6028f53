"""Judge a submission by what its code answered before: the oracle runs the tests, and nothing else runs."""

import threading
from collections.abc import Sequence

from bncourse.grading.core.known import known
from bncourse.grading.core.records import Master
from bncourse.grading.engine.attempt import Plan
from bncourse.grading.engine.preflight import doubtful_tests, own_solution
from bncourse.grading.engine.shelf import Shelf
from bncourse.grading.engine.worker_pool import Lane, Lanes
from bncourse.grading.oracle.transcript import Pass, answers_of, results_key

MAX_PASSES = 12


class Replayer:
    """Answers for the worker from transcripts; needs no sandbox. Several threads may use it side by side.

    Parameters
    ----------
    shelf : Shelf
        Where the transcripts lie.
    level : str
        The sandbox's level at which they were made.
    seed : int
        As the tests are to be run.
    """

    def __init__(self, shelf: Shelf, level: str, seed: int) -> None:
        self.shelf, self.level, self.seed = shelf, level, seed
        self._lanes = Lanes("full")
        self._guard = threading.Lock()
        self._doubtful: dict[str, list[str] | None] = {}

    def close(self) -> None:
        """End all processes."""
        self._lanes.close()
        self.shelf.close()

    def doubtful(self, master: Master) -> list[str] | None:
        """The tests that the master's own solution does not pass; None if more is asked of it than it answered."""
        key = known(master).key
        with self._guard:
            if key not in self._doubtful:
                plan = Plan(master, own_solution(master))
                self._doubtful[key] = doubtful_tests(plan) if self.judge(plan) else None
            return self._doubtful[key]

    def judge(self, plan: Plan) -> bool:
        """Judge the open tests of a plan; returns whether all of them could be."""
        if not plan.open_tests():
            return True
        transcript = self.shelf.get(results_key(plan.master, plan.reading, self.level))
        if transcript is None:
            return False
        plan.leave_out(transcript.left_out)
        with self._lanes.one() as lane:
            lane.teach(plan.master, known(plan.master).key)
            self._run(lane, plan, transcript.passes)
        return not plan.open_tests()

    def _run(self, lane: Lane, plan: Plan, passes: Sequence[Pass]) -> None:
        answers, ends = answers_of(passes), {each.dead: each.ended for each in passes if each.dead}
        for _ in range(MAX_PASSES):
            cut = None
            for message in lane.replay(plan.job(self.seed), answers):
                if "dead" in message:
                    cut = message
                plan.take(message)
            if cut is None:
                return
            plan.accept(cut | {"signal": ends.get(cut["cell"])})
            if not plan.open_tests():
                return
