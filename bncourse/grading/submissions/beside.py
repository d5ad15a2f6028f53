"""What nbgrader keeps beside a notebook: when it was handed in, and the secret by which its feedback is fetched."""

from datetime import datetime

from nbgrader.utils import parse_utc

from bncourse.grading.authoring.course import Course
from bncourse.grading.submissions.files import read_file

MAX_BYTES = 200


def small_file(course: Course, assignment: str, student: str, name: str) -> bytes:
    """The content of a small file in a submission's folder; empty where there is none that can be read."""
    submitted = course.root / "submitted"
    return read_file(submitted / student / assignment / name, submitted, MAX_BYTES).content


def handed_in_at(content: bytes) -> datetime | None:
    """The time that a timestamp says, in UTC; None where it says none."""
    try:
        time: datetime = parse_utc(content.decode("ascii").strip())
    except Exception:  # the parser of dates raises whatever its parts raise
        return None
    return time
