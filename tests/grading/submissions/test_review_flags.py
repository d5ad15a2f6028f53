"""What is pointed out to a person: functions that were seen to measure, and what a reading says itself."""

from bncourse.grading.submissions.read import Reading
from bncourse.grading.submissions.review_flags import looks
from tests.grading.small import RIGHT


def test_a_function_that_measures_is_pointed_out_by_what_it_was_seen_to_do() -> None:
    reading = Reading(RIGHT, (), "")
    assert looks(reading, {}) == ""
    assert looks(reading, {"b": "complex", "a": "differences"}) == (
        "a measures what it returns with many forward passes of nudged inputs; "
        "b measures what it returns with a complex step"
    )
