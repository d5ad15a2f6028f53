"""Texts are refused where an array of them would take much more memory than they do."""

from typing import Any

import numpy as np
import pytest

from bncourse.grading.sandbox.inside.text_room import MAX_TEXT, check_texts
from bncourse.grading.sandbox.inside.wire_types import WireError

LONG = "x" * (MAX_TEXT // 4_000 + 1)


@pytest.mark.parametrize(
    "value",
    [
        [LONG] + [""] * 1_000,
        {LONG: 0.0} | dict.fromkeys(range(1_000)),
        [[LONG], list(range(1_000))],
        [np.zeros(1_000), LONG],
        (np.array([LONG]), *range(1_000)),
    ],
    ids=["a list", "a dict", "lists", "beside an array", "in an array"],
)
def test_one_long_text_among_many_parts_is_refused(value: Any) -> None:
    with pytest.raises(WireError, match="too much memory"):
        check_texts(value, 32)


@pytest.mark.parametrize("value", [LONG, [LONG], ["x"] * 1_000, list(range(1_000)), np.zeros(100_000)])
def test_what_stays_small_is_let_pass(value: Any) -> None:
    check_texts(value, 32)


def test_deeper_than_asked_nothing_is_looked_at() -> None:
    check_texts([[[LONG] + [""] * 1_000]], 0)
