"""An attempt in which a name is missing in; the same with the name put in out, and what is charged for it: one test.

A missing `N = len(dy)` stops every test of its function. It is one slip: the first test that it stops keeps its zero,
and the others get what the rest of the code is worth. A test that failed for another reason stays failed: code may see
which run it is in, and would have two answers to it. So what stopped a test is what was raised, and not what a message
says, whose words may be the student's; and there is one exception for each test, so no test gets a third run.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

from bncourse.grading.core.plain_text import one_line
from bncourse.grading.core.records import Verdict
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.steps import plain
from bncourse.grading.sandbox.inside.seen import worst
from bncourse.grading.submissions.missing_names import Mended, mended_answers

_MISSING = ("NameError", "UnboundLocalError")
"""What a missing name raises."""


def with_names(attempt: Attempt, look: Callable[..., dict[str, Mended]] = mended_answers) -> Attempt | None:
    """Make an attempt at the tests that the names have stopped which answers lack; None where that changes nothing.

    Parameters
    ----------
    attempt : Attempt
        One that was carried out.
    look : callable
        Does what `mended_answers` does; a grader's does it where it can be ended.
    """
    stopped = attempt.stopped_by(*_MISSING)
    reading, code = attempt.reading, attempt.code
    if not stopped or attempt.reason:
        return None
    own = [plain(reading, extra.source) for extra in (*reading.extras, *reading.moved)]
    others = [*attempt.given.values(), *own]
    put_in = look(code, others, {name: frozenset(attempt.master.binds[name]) for name in code})
    return with_put_in(attempt, put_in, stopped)


def with_put_in(attempt: Attempt, put_in: dict[str, Mended], tests: Collection[str]) -> Attempt | None:
    """Make an attempt at some tests with other answers; None where no answer is another."""
    if not put_in:
        return None
    reading = attempt.reading
    answers = reading.answers | {name: one.source for name, one in put_in.items()}
    again = Attempt(attempt.master, reading._replace(answers=answers))
    again.put_in = {name: tuple(one_line(line) for line in one.said) for name, one in put_in.items()}
    again.repeat(attempt, tests)
    return again


def charge_once(attempt: Attempt, again: Attempt) -> None:
    """Give an attempt the points that only what was put in has cost, but for one test of each answer."""
    keep_what_was_seen(attempt, again)
    charged = set[str]()
    for before, after in zip(attempt.all_verdicts(), again.all_verdicts(), strict=True):
        if before.grade_id not in again.repeated:
            continue
        if after.outcome != "correct":
            attempt.answered(again, before.grade_id)
            continue
        answers = attempt.answers_behind(before.grade_id) & again.put_in.keys() or set(again.put_in)
        said = "; ".join(line for answer in sorted(answers) for line in again.put_in[answer])
        if answers <= charged:
            attempt.put(replace(after, message=f"Tried with `{said}`, which was charged above."))
        else:
            charged |= answers
            attempt.put(_said_once(before, said))


def keep_what_was_seen(attempt: Attempt, again: Attempt) -> None:
    """Count what another attempt has seen of how gradients are found, and that the grader failed on it."""
    for name, how in again.measured.items():
        attempt.measured[name] = worst([how, attempt.measured.get(name, "")])
    attempt.reason = again.reason


def _said_once(verdict: Verdict, said: str) -> Verdict:
    """The verdict of the test that is charged."""
    text = f"{verdict.message}\nWith `{said}` your code passes this test. It is charged here alone."
    return replace(verdict, message=text)
