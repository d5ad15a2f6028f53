"""An attempt in which an answer stops in; the same with a wrong program in its place out, for the answers that call it.

A wrong formula in a forward pass is charged once, because the tests of later answers compare with the student's own
forward pass. One that stops has nothing to compare with. So the later answers are tried with a program of the
master's in its place: it runs and is wrong, as the student's could have been. The answer's own tests keep their zero,
and a later answer gets what it would get beside that wrong program, so stopping on purpose gains nothing.
"""

from collections.abc import Iterator
from dataclasses import replace

from bncourse.grading.core.records import Substitute
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.missing_names import keep_what_was_seen


def with_substitutes(attempt: Attempt) -> Iterator[Attempt]:
    """Make attempts at the tests that answers before theirs have stopped, one for each such answer.

    Each is to be carried out, and given to `keep_what_passes`, before the next is asked for.

    Parameters
    ----------
    attempt : Attempt
        One that was carried out.
    """
    for one in attempt.master.substitutes:
        tests = _stopped_elsewhere(attempt, one)
        if tests and not attempt.reason:
            again = Attempt(attempt.master, attempt.reading)
            again.run_instead(one.answer, one.code)
            again.put_in = {one.answer: ()}
            again.repeat(attempt, tests)
            yield again


def keep_what_passes(attempt: Attempt, again: Attempt) -> None:
    """Give an attempt the points of the tests that pass with another program in the place of the answer that stops."""
    keep_what_was_seen(attempt, again)
    (answer,) = again.put_in
    names = " and ".join(f"`{name}`" for name in sorted(attempt.master.binds[answer]))
    said = f"{names} gave no result, which is charged above. Tried with another function in its place."
    for verdict in again.all_verdicts():
        if verdict.grade_id not in again.repeated:
            continue
        if verdict.outcome == "correct":
            attempt.put(replace(verdict, message=said))
        else:
            attempt.answered(again, verdict.grade_id)


def _stopped_elsewhere(attempt: Attempt, one: Substitute) -> set[str]:
    """The tests of written answers that stopped, where the answer that they call has stopped in a test of its own."""
    own = {verdict.grade_id for verdict in attempt.all_verdicts()} - set(one.tests)
    own = {test for test in own if one.answer in attempt.answers_behind(test)}
    if not any(map(attempt.has_stopped, own)):
        return set()
    written = attempt.code.keys() - {one.answer}
    return {test for test in one.tests if attempt.has_stopped(test) and attempt.answers_behind(test) & written}
