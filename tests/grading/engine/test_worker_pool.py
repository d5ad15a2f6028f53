"""Lanes side by side: the first one's processes are started, the others' are forked from them."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.engine.grader import Grader
from bncourse.grading.engine.worker_pool import Lane
from tests.grading.small import FULL, MASTER, RIGHT, WRONG, hand_in

pytestmark = pytest.mark.sandbox
SLOW = hand_in(
    RIGHT | {"scale": RIGHT["scale"].replace("    return", "    import time\n    time.sleep(0.2)\n    return")}
)


def two_lanes(grader: Grader) -> list[Lane]:
    """The lanes, both of which have graded something; the first is the one that was started."""
    grader.prepare(MASTER)
    records = list(grader.grade_many(MASTER, [(f"student{n}", SLOW) for n in range(2)]))
    assert [record.score for record in records] == [FULL, FULL]
    first, second = grader._lanes._open
    assert first.oracle is not None
    return [first, second]


def test_a_second_lane_is_forked_from_the_first_and_finds_the_same() -> None:
    files = [(f"student{n}", hand_in(answers)) for n, answers in enumerate([RIGHT, WRONG, RIGHT, WRONG] * 3)]
    found = []
    for jobs in (1, 2):
        with Grader(jobs=jobs, cache=False) as grader:
            grader.prepare(MASTER)
            records = {record.student: record for record in grader.grade_many(MASTER, files)}
            found.append([[(v.outcome, v.points, v.message) for v in records[name].verdicts] for name, _ in files])
    assert found[0] == found[1]
    with Grader(jobs=2, cache=False) as grader:
        first, second = two_lanes(grader)
        assert second.oracle is None
        (mine,), (theirs,) = first.forkservers.values(), second.forkservers.values()
        assert mine.process is theirs.process


def test_no_module_is_taken_from_the_folder_in_which_the_grader_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a student's, with a numpy.py that would run in the process that is trusted."""
    for name in ("numpy", "numbers", "msgpack", "bncourse", "sitecustomize", "encodings"):
        (tmp_path / f"{name}.py").write_text("open('LEAK', 'w').close()\nraise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)
    with Grader(jobs=1, cache=False) as grader:
        assert grader.grade(MASTER, "x", hand_in()).score == FULL
    assert not (tmp_path / "LEAK").exists()


def while_it_grades(grader: Grader, lane: Lane, act: Callable[[], object]) -> SubmissionRecord:
    """Grade a slow submission in this lane, and do something meanwhile."""
    found: list[SubmissionRecord] = []
    others = [grader._lanes._free.get() for _ in range(grader._lanes._free.qsize())]
    grader._lanes._free.put(lane)
    lane.pid = 0
    thread = threading.Thread(target=lambda: found.append(grader.grade(MASTER, "slow", SLOW)))
    thread.start()
    while not lane.pid:
        time.sleep(0.01)
    time.sleep(0.1)
    act()
    for other in others:
        if other in grader._lanes._open and other is not lane:
            grader._lanes._free.put(other)
    thread.join()
    return found[0]


def test_the_end_of_a_sandbox_that_lanes_share_is_no_crash_of_a_student() -> None:
    with Grader(jobs=2, cache=False) as grader:
        first, second = two_lanes(grader)
        (shared,) = first.forkservers.values()
        record = while_it_grades(grader, second, shared.process.kill)
        assert (record.score, record.status) == (FULL, "correct")


def test_a_lane_goes_on_when_the_one_that_it_was_forked_from_has_ended() -> None:
    with Grader(jobs=2, cache=False) as grader:
        first, second = two_lanes(grader)
        (shared,) = second.forkservers.values()
        record = while_it_grades(grader, second, lambda: grader._lanes.drop(first))
        assert (record.score, record.status) == (FULL, "correct")
        assert shared.process.poll() is None, "the sandbox has ended too"
        assert [each.score for each in grader.grade_many(MASTER, [("a", SLOW), ("b", SLOW)])] == [FULL, FULL]
    assert shared.process.poll() is not None
