"""A student's file in; a `Submission` out, read once: who handed it in, its digest, and what was read of it."""

from typing import NamedTuple

from bncourse.grading.core.records import Master
from bncourse.grading.submissions.complete import complete
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.read import Reading, read_submission


class Submission(NamedTuple):
    """What one student handed in for an assignment."""

    student: str
    reading: Reading
    """Answers, added cells, repairs; or why it cannot be graded."""
    digest: str = ""
    """Of the file, brought to the present release, or of why it was not read; empty where it may be read next time."""
    notes: tuple[str, ...] = ()
    """What was done to find the file, in words."""


def submission_of(master: Master, student: str, file: HandedIn | bytes) -> Submission:
    """Read a file, however damaged; never raises."""
    handed = HandedIn(file) if isinstance(file, bytes) else file
    return Submission(student, _reading(master, handed), handed.digest, handed.notes)


def _reading(master: Master, handed: HandedIn) -> Reading:
    if handed.reason:
        return Reading({}, (), handed.reason)
    try:
        return complete(master, read_submission(master, handed.content))
    except Exception as error:  # whatever one student's file makes of it, the others are graded
        return Reading({}, (), f"the file cannot be read ({type(error).__name__})")
