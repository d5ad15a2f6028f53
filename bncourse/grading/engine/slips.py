"""An attempt that a slip has stopped in; the same with the slip put right out. One test is charged for it.

`x.mean(dim=0)` in NumPy stops every test of its function. As with a name that is missing, the first test that it stops
keeps its zero, and the others get what the rest of the code is worth. The tests decide, and the code has to be right
but for the slip: stopping it on purpose gains nothing.
"""

from collections.abc import Callable

from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.missing_names import with_put_in
from bncourse.grading.engine.steps import plain
from bncourse.grading.submissions.missing_names import Mended
from bncourse.grading.submissions.slips import answers_without_slips

_STOP = ("TypeError", "KeyError", "AttributeError", "IndexError", "ValueError")
"""What a slip raises."""


def with_slips_put_right(
    attempt: Attempt, look: Callable[..., dict[str, Mended]] = answers_without_slips
) -> Attempt | None:
    """Make an attempt at the stopped tests with answers that have no plain slip; None where that changes nothing.

    Parameters
    ----------
    attempt : Attempt
        One that was carried out.
    look : callable
        Does what `answers_without_slips` does; a grader's does it where it can be ended.
    """
    stopped = attempt.stopped_by(*_STOP)
    if attempt.reason or not stopped:
        return None
    reading = attempt.reading
    own = [plain(reading, extra.source) for extra in (*reading.extras, *reading.moved)]
    others = [*attempt.given.values(), *own]
    return with_put_in(attempt, look(attempt.code, others, "torch" in attempt.master.imports), stopped)
