"""An answer that stops costs its own tests, and not those of the answers that call it."""

from collections.abc import Mapping
from dataclasses import replace

from bncourse.grading.core.records import Outcome, Substitute, Verdict
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.steps import INSTEAD
from bncourse.grading.engine.substitutes import keep_what_passes, with_substitutes
from bncourse.grading.submissions.submission import submission_of
from tests.grading import small
from tests.grading.small import FULL, RIGHT

CODE = "def batch_norm_forward(x, gamma, beta, eps=1e-5):\n    return x, None"
MASTER = replace(small.MASTER, substitutes=(Substitute("forward", ("test-backward", "test-scale"), CODE),))


def attempt(answers: Mapping[str, str] = RIGHT, raised: str = "RuntimeError", **lost: Outcome) -> Attempt:
    """An attempt that has lost some tests, which an exception has stopped."""
    made = Attempt(MASTER, submission_of(MASTER, "x", small.hand_in(answers)).reading)
    judge(made, raised, **lost)
    return made


def judge(made: Attempt, raised: str = "RuntimeError", **lost: Outcome) -> None:
    for cell in MASTER.cells:
        if cell.kind == "test":
            outcome = lost.get(cell.grade_id.removeprefix("test-"), "correct")
            points = cell.points if outcome == "correct" else 0.0
            made.put(Verdict(cell.grade_id, outcome, points, cell.points, "" if points else "It stopped."))
            made.stopped[cell.grade_id] = "" if points else raised


def graded(first: Attempt, raised: str = "", **lost: Outcome) -> float:
    """The points of an attempt whose tests have these verdicts with the substitute in its place."""
    for again in with_substitutes(first):
        judge(again, raised, **lost)
        keep_what_passes(first, again)
    return sum(verdict.points for verdict in first.all_verdicts())


def test_an_answer_that_stops_is_charged_in_its_own_tests_alone() -> None:
    assert graded(attempt(forward="crashed", backward="crashed")) == FULL - 3
    assert graded(attempt(forward="timeout", backward="timeout", raised="")) == FULL - 3
    assert graded(attempt(forward="not attempted", backward="crashed", raised="NotImplementedError")) == FULL - 3


def test_an_answer_that_is_wrong_beside_the_substitute_too_gains_nothing() -> None:
    assert graded(attempt(forward="crashed", backward="crashed"), backward="wrong") == FULL - 3 - 4


def test_nothing_is_tried_again_where_the_answer_did_not_stop_or_the_others_gave_an_answer() -> None:
    assert not list(with_substitutes(attempt(backward="crashed")))
    assert not list(with_substitutes(attempt(forward="wrong", backward="crashed", raised="")))
    wrong = attempt(forward="crashed", backward="wrong")
    wrong.stopped["test-backward"] = ""
    assert not list(with_substitutes(wrong))


def test_an_answer_that_was_given_in_another_run_is_not_given_again() -> None:
    first, again = attempt(forward="crashed", backward="crashed"), attempt(forward="crashed", backward="wrong")
    again.stopped["test-backward"] = ""
    first.answered(again, "test-backward")
    assert not list(with_substitutes(first))


def test_a_later_answer_that_was_not_written_is_not_tried() -> None:
    lacks = {name: text for name, text in RIGHT.items() if name != "backward"}
    assert not list(with_substitutes(attempt(lacks, forward="crashed", backward="not attempted")))


def test_the_substitute_runs_behind_the_answer_and_behind_each_cell_of_the_students_below_it() -> None:
    first = attempt(forward="crashed", backward="crashed")
    added = [("number", "1"), ("setup", "2"), ("forward", "3")]
    first.reading = submission_of(MASTER, "x", small.hand_in(RIGHT, added=added)).reading
    (again,) = with_substitutes(first)
    again.put(first.all_verdicts()[-1])
    names = [step["cell"] for step in again._template if step["do"] != "test"]
    put = f"{INSTEAD}forward"
    assert names == [
        *("setup", "after:setup:1", "forward", put, "after:forward:1", put),
        *("backward", "scale", "running", "number", "after:number:1", put),
    ]
    assert again.open_tests() == ["test-backward"]
