"""A slip that stops the code costs one test, and nothing that is wrong besides is given for it."""

from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.missing_names import charge_once, with_names
from bncourse.grading.engine.slips import with_slips_put_right
from tests.grading.engine.test_missing_names import OUT, attempt, score
from tests.grading.small import FULL, RIGHT

DIM = RIGHT | {"forward": RIGHT["forward"].replace("axis=0", "dim=0")}


def stopped(raised: str = "TypeError") -> Attempt:
    return attempt(DIM, raised, forward="crashed", backward="crashed")


def test_a_slip_is_charged_where_it_first_stops_a_test() -> None:
    assert DIM != RIGHT
    first = stopped()
    again = with_slips_put_right(first)
    assert again is not None and again.code["forward"] == RIGHT["forward"]
    for verdict in attempt(RIGHT).all_verdicts():
        again.put(verdict)
    charge_once(first, again)
    verdicts = {verdict.grade_id: verdict for verdict in first.all_verdicts()}
    assert score(first) == FULL - 3
    assert "`axis in the place of dim`" in verdicts["test-forward"].message
    assert verdicts["test-backward"].outcome == "correct" and "charged above" in verdicts["test-backward"].message


def test_code_that_is_wrong_besides_gains_nothing() -> None:
    first = stopped()
    again = with_slips_put_right(first)
    assert again is not None
    for verdict in attempt(RIGHT, forward="wrong", backward="wrong").all_verdicts():
        again.put(verdict)
    charge_once(first, again)
    assert score(first) == FULL - 3 - 4


def test_nothing_is_tried_where_no_slip_stops_the_code() -> None:
    assert with_slips_put_right(attempt(DIM)) is None
    assert with_slips_put_right(attempt(DIM, forward="wrong")) is None
    assert with_slips_put_right(attempt(RIGHT, "TypeError", forward="crashed")) is None


def test_what_a_missing_name_has_stopped_is_not_tried_a_third_time() -> None:
    """With two runs for one test, code that sees in which run it is would have two answers to it."""
    assert with_slips_put_right(stopped("NameError")) is None
    for raised in ("TypeError", "KeyError", "AttributeError", "IndexError", "ValueError"):
        assert with_slips_put_right(stopped(raised)) is not None
        assert with_names(attempt(OUT, raised, forward="crashed")) is None
