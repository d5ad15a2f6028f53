"""What ended a pass becomes a verdict, and is not tried again."""

from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.submissions.submission import submission_of
from tests.grading.small import MASTER, hand_in


def test_a_test_that_takes_too_long_where_nothing_ends_it_counts_as_time_of_the_submissions() -> None:
    attempt = Attempt(MASTER, submission_of(MASTER, "x", hand_in()).reading)
    attempt.end("preview")
    attempt.accept({"overdue": True, "spent": MASTER.seconds_in_all / 2})
    assert [verdict.outcome for verdict in attempt._verdicts.values()] == ["needs review"]
    attempt.accept({"overdue": True, "spent": MASTER.seconds_in_all / 2})
    outcomes = [verdict.outcome for verdict in attempt.all_verdicts()]
    assert outcomes[:2] == ["needs review"] * 2 and set(outcomes[2:]) == {"timeout"}
