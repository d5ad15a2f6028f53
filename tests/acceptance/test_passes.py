"""Cells first show what they show; then they run again with the tests, in the same process where that is as good."""

from collections.abc import Iterator
from typing import Any

import pytest

from bncourse.grading.engine import worker_pool
from bncourse.grading.engine.grader import Grader
from bncourse.grading.sandbox.limited_process import CallEnded, LimitedProcess
from tests.grading.small import FULL, MASTER, RIGHT, WRONG, hand_in

pytestmark = pytest.mark.sandbox


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    """The passes that each process was started for."""
    found: list[tuple[str, ...]] = []
    run = worker_pool.Lane.run

    def watched(self: worker_pool.Lane, job: dict[str, Any], *rest: Any) -> Any:
        found.append(tuple(part["phase"] for part in job["passes"]))
        return run(self, job, *rest)

    monkeypatch.setattr(worker_pool.Lane, "run", watched)
    yield found


def graded(file: bytes, ordered: list[tuple[str, ...]]) -> Any:
    with Grader(jobs=1, cache=False) as grader:
        grader.prepare(MASTER)
        ordered.clear()
        return grader.grade(MASTER, "x", file)


def test_one_process_is_enough_for_plain_code(ordered: list[tuple[str, ...]]) -> None:
    record = graded(hand_in(added=[("test-number", "print(standardize(np.array([1.0, 3.0])))")]), ordered)
    assert record.score == FULL
    assert [output.text for output in record.outputs] == ["[-1.  1.]\n"]
    assert ordered == [("preview", "grade")]


LASTING = {
    "errors": "np.seterr(all='raise')",
    "a file": "import os\nos.mkdir('out')",
    "a library's function": "np.mean = None",
    "warnings": "import warnings\nwarnings.simplefilter('error')",
}


@pytest.mark.parametrize("last", LASTING.values(), ids=LASTING.keys())
def test_what_a_last_cell_changes_for_good_does_no_harm_to_answers_before_it(
    last: str, ordered: list[tuple[str, ...]]
) -> None:
    careless = "def standardize(x):\n    np.exp(-1e9), np.mean(x)\n    return (x - x.mean()) / x.std()"
    record = graded(hand_in(RIGHT | {"scale": careless}, added=[("test-number", last)]), ordered)
    assert (record.score, record.notes) == (FULL, ())
    assert ordered == [("preview", "grade"), ("grade",)]


def test_tests_meet_the_names_and_values_of_their_place(ordered: list[tuple[str, ...]]) -> None:
    """Also those that a later cell binds again or changes in place."""
    scale = "factor = np.array([1.0])\ndef standardize(x):\n    return factor * (x - x.mean()) / x.std()"
    later = "factor *= 2\nstandardize = None\ndel batch_norm_forward"
    record = graded(hand_in(RIGHT | {"scale": scale}, added=[("test-scale", later)]), ordered)
    assert record.score == FULL
    assert ordered == [("preview", "grade")]


def test_a_process_that_ends_or_hangs_when_it_begins_anew_costs_nothing(ordered: list[tuple[str, ...]]) -> None:
    for ending in ("os._exit(3)", "raise SystemExit", "time.sleep(60)"):
        trap = f"import os, time\nclass Trap:\n    def __del__(self):\n        {ending}\ntrap = Trap()"
        record = graded(hand_in(first=trap), ordered)
        assert (record.score, record.status) == (FULL, "correct"), ending


def test_a_diagnosis_needs_no_pass_of_its_own(ordered: list[tuple[str, ...]]) -> None:
    renamed = "\nbatch_norm_backward.__name__ = 'batch_norm_forward'"
    record = graded(hand_in(RIGHT | {"backward": WRONG["backward"] + renamed}), ordered)
    message = {verdict.grade_id: verdict.message for verdict in record.verdicts}["test-backward"]
    assert "Try it: " in message and "batch_norm_backward(dy" in message
    assert ("explain",) not in ordered


def test_only_tests_that_a_missing_name_has_stopped_run_with_it_put_in(ordered: list[tuple[str, ...]]) -> None:
    forward = RIGHT["forward"].replace("    y = gamma", "    out = gamma")
    record = graded(hand_in(RIGHT | {"forward": forward}), ordered)
    messages = {verdict.grade_id: verdict.message for verdict in record.verdicts}
    assert "It is charged here alone." in messages["test-forward"]
    assert "charged above" in messages["test-backward"]
    assert record.score == FULL - 3
    assert ordered[-1] == ("grade",) and ("preview", "grade") in ordered and len(ordered) <= 3


def test_an_answer_that_takes_too_long_to_search_is_graded_as_it_stands(
    ordered: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: Any) -> Any:
        raise CallEnded("it took more than 4 seconds of processor time")

    monkeypatch.setattr(LimitedProcess, "call", ended)
    forward = RIGHT["forward"].replace("    y = gamma", "    out = gamma")
    record = graded(hand_in(RIGHT | {"forward": forward}), ordered)
    assert record.status == "crashed" and record.reason == "" and record.score < FULL - 3
