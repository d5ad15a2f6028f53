"""What is pointed out to a person: functions that were seen to measure, and what a reading says itself."""

from dataclasses import replace

from bncourse.grading.submissions.read import Extra, Reading
from bncourse.grading.submissions.review_flags import MAX_LOOKS, MAX_TEXT, library_looks, looks
from tests.grading.small import MASTER, RIGHT


def test_a_function_that_measures_is_pointed_out_by_what_it_was_seen_to_do() -> None:
    reading = Reading(RIGHT, (), "")
    assert looks(reading, {}) == ""
    assert looks(reading, {"b": "complex", "a": "differences"}) == (
        "a measures what it returns with many forward passes of nudged inputs; "
        "b measures what it returns with a complex step"
    )


def test_what_is_pointed_out_has_a_limit_however_many_cells_name_something_however_long() -> None:
    names = [f"batch_norm_{number}_{'x' * length}" for number in range(300) for length in (1, 3_000)]
    extras = tuple(Extra("forward", f"F.{name}") for name in names)
    found = list(library_looks(replace(MASTER, imports=("torch",)), Reading({}, (), "", extras)))
    assert len(found) == MAX_LOOKS and max(map(len, found)) < 200
    text = looks(Reading(RIGHT, (), "", looks=tuple(names)), {"a": "unseen"})
    assert text.startswith("a finds what it returns") and len(text) < MAX_TEXT + 50
