"""A student's file in; a `Submission` out, read once: who handed it in, the file, and what was read of it."""

from typing import NamedTuple

from bncourse.grading.authoring.course import Course
from bncourse.grading.core.records import Master
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.read import Reading, read_submission
from bncourse.grading.submissions.upgrade import handed_in


class Submission(NamedTuple):
    """What one student handed in for an assignment."""

    student: str
    file: HandedIn
    """The file, brought to the present release, or why it was not read."""
    reading: Reading
    """Answers, added cells, repairs; or why it cannot be graded."""


def submission_of(master: Master, student: str, file: HandedIn | bytes) -> Submission:
    """Read a file, however damaged; never raises."""
    handed = HandedIn(file) if isinstance(file, bytes) else file
    reading = Reading({}, (), handed.reason) if handed.reason else read_submission(master, handed.content)
    return Submission(student, handed, reading)


def read(course: Course, master: Master, student: str) -> Submission:
    """Read what a student handed in for the master's assignment."""
    return submission_of(master, student, handed_in(course, master, student))
