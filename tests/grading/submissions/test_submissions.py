"""A long text takes as long as its length says, wherever it stands: no part of it is looked at again and again."""

import time

import pytest

from bncourse.grading.core import render
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.submissions.submission import submission_of
from bncourse.grading.workflows.submission_process import graded_notebook
from tests.grading.small import MASTER, RIGHT, as_file, code_cell, notebook

PROSE = "what is written here is no program"
TEXTS = {
    "blank lines under prose": PROSE + "\n" * 200_000,
    "lines of spaces under prose": PROSE + " \n" * 100_000,
    "pictures that begin": "![](a" * 40_000,
    "pictures with spaces": "![]( " * 40_000,
    "elements that begin": "<img src=a" * 20_000,
    "sources in an element": "<img " + "src=" * 50_000,
    "elements with spaces": "<img src= " * 20_000,
}
"""Each took a minute or more where a pattern gave back what it had taken, or went on beyond the next beginning."""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_reading_and_rendering_take_as_long_as_the_text_is(text: str) -> None:
    made = notebook(RIGHT | {"explain": text, "scale": f"{RIGHT['scale']}\n{text}"})
    made["cells"].append(code_cell(text, "own"))
    raw, start = as_file(made), time.process_time()
    submission = submission_of(MASTER, "x", raw)
    record = SubmissionRecord("x", "small", "repaired", (), submission.reading.repairs)
    render.as_compact_bytes(graded_notebook(render.release_notebook(MASTER), submission, record))
    assert time.process_time() - start < 10.0
