"""A name that is missing costs one test, and not every test that it stops."""

from collections.abc import Mapping
from dataclasses import replace

from bncourse.grading.core.records import Outcome, Verdict
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.missing_names import charge_once, with_names
from bncourse.grading.submissions.submission import submission_of
from tests.grading.small import FULL, MASTER, RIGHT, hand_in

OUT = RIGHT | {"forward": RIGHT["forward"].replace("    y = gamma", "    out = gamma")}
TWO = OUT | {"scale": "def standardize(x):\n    return (x - x.sum() / n) / x.std()"}


def attempt(answers: Mapping[str, str], raised: str = "NameError", **lost: Outcome) -> Attempt:
    """An attempt that has lost some tests, which an exception has stopped."""
    made = Attempt(MASTER, submission_of(MASTER, "x", hand_in(answers)).reading)
    for cell in MASTER.cells:
        if cell.kind == "test":
            outcome = lost.get(cell.grade_id.removeprefix("test-"), "correct")
            points = cell.points if outcome == "correct" else 0.0
            made.put(Verdict(cell.grade_id, outcome, points, cell.points, "" if points else "It stopped."))
            made.stopped[cell.grade_id] = "" if points else raised
    return made


def score(one: Attempt) -> float:
    return sum(verdict.points for verdict in one.all_verdicts())


def test_a_missing_name_is_charged_where_it_first_stops_a_test() -> None:
    first = attempt(OUT, forward="crashed", backward="crashed")
    again = with_names(first)
    assert again is not None and "return y," not in again.code["forward"]
    for verdict in attempt(RIGHT).all_verdicts():
        again.put(verdict)
    charge_once(first, again)
    verdicts = {verdict.grade_id: verdict for verdict in first.all_verdicts()}
    assert score(first) == FULL - 3
    assert verdicts["test-forward"].outcome == "crashed"
    assert (
        "`out in the place of y`" in verdicts["test-forward"].message
        and "here alone" in verdicts["test-forward"].message
    )
    assert verdicts["test-backward"].outcome == "correct" and "charged above" in verdicts["test-backward"].message


def test_two_missing_names_are_charged_twice() -> None:
    first = attempt(TWO, forward="crashed", backward="crashed", scale="crashed")
    again = with_names(first)
    assert again is not None and set(again.put_in) == {"forward", "scale"}
    for verdict in attempt(RIGHT).all_verdicts():
        again.put(verdict)
    charge_once(first, again)
    assert score(first) == FULL - 3 - 2


def test_what_is_wrong_with_the_name_too_stays_wrong() -> None:
    first = attempt(OUT, forward="crashed", backward="crashed")
    again = with_names(first)
    assert again is not None
    for verdict in attempt(RIGHT, backward="wrong").all_verdicts():
        again.put(verdict)
    charge_once(first, again)
    assert score(first) == FULL - 3 - 4


def test_nothing_is_tried_again_where_nothing_is_missing_or_nothing_was_lost() -> None:
    assert with_names(attempt(RIGHT, forward="wrong")) is None
    assert with_names(attempt(OUT)) is None
    assert with_names(attempt(OUT, forward="timeout")) is None


def test_a_test_that_failed_for_another_reason_is_not_tried_again() -> None:
    """Code that sees in which run it is would have a second answer to it."""
    first = attempt(OUT, forward="crashed", scale="wrong")
    wrong = next(verdict for verdict in first.all_verdicts() if verdict.grade_id == "test-scale")
    first.put(replace(wrong, message="NameError: the name N is not defined, says the code's own text."))
    first.stopped["test-scale"] = ""
    again = with_names(first)
    assert again is not None and again.open_tests() == ["test-forward"]
    for verdict in attempt(RIGHT).all_verdicts():
        again.put(verdict)
    charge_once(first, again)
    assert score(first) == FULL - 3 - 2


def test_what_the_second_run_has_seen_counts() -> None:
    first = attempt(OUT, forward="crashed", backward="crashed")
    again = with_names(first)
    assert again is not None
    for verdict in attempt(RIGHT).all_verdicts():
        again.put(verdict)
    first.measured, again.measured = {"a": "differences"}, {"a": "unseen", "batch_norm_backward": "unseen"}
    again.reason = "the grader failed: LaneError"
    charge_once(first, again)
    assert first.measured == {"a": "differences", "batch_norm_backward": "unseen"}
    assert first.reason == again.reason
