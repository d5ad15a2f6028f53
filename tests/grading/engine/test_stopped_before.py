"""Code that stops costs its own tests, and not those of later answers that use it."""

from bncourse.grading.core.records import Outcome
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.stopped_before import charge_before, with_solutions
from tests.grading.engine.test_missing_names import attempt, score
from tests.grading.small import FULL, RIGHT

SHAPES = "stopped in line 3 of cell forward: ValueError: operands could not be broadcast together"
STOPS = RIGHT | {"forward": RIGHT["forward"].replace("mean = x.mean(axis=0)", "mean = x.mean(axis=1)")}


def stopped(message: str = SHAPES, **lost: Outcome) -> Attempt:
    made = attempt(STOPS, **lost)
    for verdict in made.all_verdicts():
        if not verdict.points:
            made.put(type(verdict)(**{**vars(verdict), "message": message}))
    return made


def tried(first: Attempt, **lost: Outcome) -> float:
    """The score after a second try, in which these tests are lost."""
    again = with_solutions(first)
    assert again is not None and again.code["forward"] == RIGHT["forward"]
    for verdict in attempt(RIGHT, **lost).all_verdicts():
        again.put(verdict)
    charge_before(first, again)
    return score(first)


def test_code_that_stops_costs_its_own_tests_alone() -> None:
    first = stopped(forward="crashed", backward="crashed")
    assert tried(first) == FULL - 3
    verdicts = {verdict.grade_id: verdict for verdict in first.all_verdicts()}
    assert verdicts["test-forward"].points == 0
    assert "`batch_norm_forward`" in verdicts["test-backward"].message
    assert "charged above" in verdicts["test-backward"].message


def test_a_later_answer_that_is_wrong_besides_stays_wrong() -> None:
    assert tried(stopped(forward="crashed", backward="crashed"), backward="wrong") == FULL - 3 - 4


def test_nothing_is_given_where_the_answer_that_is_asked_stops_itself() -> None:
    assert with_solutions(stopped(backward="crashed")) is None
    assert with_solutions(stopped(scale="crashed", running="crashed")) is None


def test_an_answer_that_was_not_written_is_not_replaced() -> None:
    missing = "Your code is still missing."
    assert with_solutions(stopped(missing, forward="not attempted", backward="not attempted")) is None


def test_a_wrong_answer_is_not_replaced() -> None:
    assert with_solutions(stopped("y is wrong.", forward="wrong", backward="wrong")) is None
