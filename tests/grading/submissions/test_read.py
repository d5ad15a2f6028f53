"""No text makes reading take the square of its length: each of these once stopped a class for minutes."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.submissions.magics import plain_python
from bncourse.grading.submissions.review_flags import looks
from bncourse.grading.submissions.submission import submission_of
from tests.grading.small import MASTER, RIGHT, as_file, code_cell, hand_in, notebook

SECONDS = 4.0
"""Of the processor's time; what they take is some tenths of one."""


def scale(text: str) -> bytes:
    return hand_in(RIGHT | {"scale": text + RIGHT["scale"]})


def cells(count: int, source: Callable[[int], str], **facts: Any) -> bytes:
    made = notebook()
    made["cells"] += [code_cell(source(number), f"x{number}") | facts for number in range(count)]
    for cell in made["cells"]:
        cell["metadata"], cell["id"] = {}, f"new-{cell['id']}"
    return as_file(made)


COSTLY = {
    "blank lines": lambda: scale("\n" * 200_000),
    "blank lines with blanks and a magic": lambda: scale(" \n" * 200_000 + "!ls\n"),
    "blanks behind a sign": lambda: scale("x =" + " " * 400_000 + "\n"),
    "shell lines above code": lambda: scale("!ls\n" * 400 + "x = 1\n" * 3_000),
    "help lines": lambda: scale("x?\n" * 20_000),
    "statements": lambda: scale("x = 1\n" * 80_000),
    "statements that do not parse": lambda: scale("x = 1\n" * 20_000 + "(\n"),
    "cells without metadata": lambda: cells(4_900, lambda n: f"def g{n}(x):\n    return standardize(x) + {n}"),
    "cells that do not parse": lambda: cells(4_900, lambda n: f"def g{n}(:\n standardize"),
    "text cells": lambda: cells(4_900, lambda n: f"text {n}\n" * 20, cell_type="markdown"),
    "badges": lambda: cells(4_900, lambda n: "<a><img>" + "<a [![](" * 24, cell_type="markdown"),
    "brackets": lambda: scale("(" * 200_000),
    "underscores, with which names of a library begin": lambda: scale("_" * 400_000),
    "the beginnings of such names": lambda: scale("native_cudnn_" * 30_000),
}
WITH_TORCH = replace(MASTER, imports=("numpy", "torch"))
"""Of whose submissions a person is told what a library does for them."""


@pytest.mark.parametrize("kind", COSTLY)
def test_reading_takes_no_square_of_the_length(kind: str) -> None:
    raw = COSTLY[kind]()
    plain_python("!ls")  # which imports IPython
    start = time.process_time()
    submission = submission_of(WITH_TORCH, "x", raw)
    Attempt(WITH_TORCH, submission.reading)
    looks(submission.reading, {})
    assert time.process_time() - start < SECONDS
    assert not submission.reading.reason


def test_a_notebook_of_endless_text_is_read_up_to_its_limit() -> None:
    submission = submission_of(MASTER, "x", cells(20, lambda n: f"x = {n}\n" * 40_000))
    assert any("left out" in repair for repair in submission.reading.repairs)
    assert sum(len(extra.source) for extra in submission.reading.extras) <= 1_000_000
