"""An attempt in which one answer stops the tests of others in; the same with a right answer in its place out.

A shape that does not fit in `loss_and_gradients` stops the tests of `train`, which calls it. A wrong formula there is
charged once, because those tests use the student's own function. So is code that stops: if an answer has lost all its
own tests, the tests of later answers that use it are tried with the solution in its place. They say what the later
answer is worth, and nothing is given for the answer that stops: stopping it on purpose gains nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from bncourse.grading.core.records import Verdict
from bncourse.grading.core.regions import SOLUTION
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.missing_names import STOPPED, keep_what_was_seen

_STOP = re.compile("(Type|Value|Key|Attribute|Index|ZeroDivision|LinAlg)Error")
"""What the message of a test says that code has stopped."""


def with_solutions(attempt: Attempt) -> Attempt | None:
    """Make an attempt with the solution in the place of each answer that stops; None where no test is to be tried.

    Parameters
    ----------
    attempt : Attempt
        One that was carried out.
    """
    stopping = _stopping(attempt)
    tests = _tests_after(attempt, stopping)
    if attempt.reason or not tests:
        return None
    sources = {cell.grade_id: cell.source for cell in attempt.master.cells if cell.grade_id in stopping}
    solutions = {name: _solution(source) for name, source in sources.items()}
    again = Attempt(attempt.master, attempt.reading._replace(answers=attempt.reading.answers | solutions))
    again.put_in = dict.fromkeys(stopping, ("the solution",))
    again.repeat(attempt, tests)
    return again


def charge_before(attempt: Attempt, again: Attempt) -> None:
    """Give an attempt the points of later answers that are right with the solution of an answer that stops."""
    keep_what_was_seen(attempt, again)
    tests = _tests_after(attempt, frozenset(again.put_in))
    for before, after in zip(attempt.all_verdicts(), again.all_verdicts(), strict=True):
        if before.grade_id in tests and after.outcome == "correct":
            names = sorted(name for answer in tests[before.grade_id] for name in attempt.master.binds[answer])
            text = f"Tried with a right {', '.join(f'`{name}`' for name in names)} in the place of yours, which stops"
            attempt.put(replace(after, message=f"{text} and was charged above."))


def _stopping(attempt: Attempt) -> frozenset[str]:
    """Answers whose code stops, and that have lost all tests of their own."""
    lost = _lost(attempt)
    own: dict[str, list[str]] = {}
    for verdict in attempt.all_verdicts():
        behind = attempt.answers_behind(verdict.grade_id)
        if len(behind) == 1:
            own.setdefault(behind.pop(), []).append(verdict.grade_id)
    return frozenset(
        answer
        for answer, tests in own.items()
        if all(test in lost for test in tests) and any(_STOP.search(lost[test].message) for test in tests)
    )


def _tests_after(attempt: Attempt, stopping: frozenset[str]) -> Mapping[str, set[str]]:
    """The stopped tests of later answers, and which of the answers that stop they use, by way of others or at once."""
    order = [cell.grade_id for cell in attempt.master.cells if cell.kind == "answer"]
    uses: dict[str, set[str]] = {}
    for verdict in attempt.all_verdicts():
        *before, last = sorted(attempt.answers_behind(verdict.grade_id), key=order.index) or [""]
        uses.setdefault(last, set()).update(before)
    for answer in order:  # what an earlier answer uses is known already
        for other in tuple(uses.get(answer, ())):
            uses[answer] |= uses.get(other, set())
    found = dict[str, set[str]]()
    for test, verdict in _lost(attempt).items():
        *before, last = sorted(attempt.answers_behind(test), key=order.index) or [""]
        used = {*before, *(one for other in before for one in uses.get(other, ()))} & stopping
        if used and last not in stopping and _STOP.search(verdict.message):
            found[test] = used
    return found


def _lost(attempt: Attempt) -> dict[str, Verdict]:
    return {verdict.grade_id: verdict for verdict in attempt.all_verdicts() if verdict.outcome in STOPPED}


def _solution(source: str) -> str:
    """A master's cell without the marks of its regions."""
    return "\n".join(line for line in source.split("\n") if not any(mark in line for mark in SOLUTION))
