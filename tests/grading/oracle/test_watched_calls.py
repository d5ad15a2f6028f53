"""Which calls of a function that gives gradients are watched."""

from typing import Any

import numpy as np
import pytest

from bncourse.grading.oracle.compiled_master import CompiledMaster
from bncourse.grading.oracle.watched_calls import LOOKS_AGAIN, WatchedCalls
from tests.grading.oracle.test_session import asked


def test_of_each_cell_the_first_call_that_a_hidden_line_makes_is_watched() -> None:
    """Where no hidden line names a function, its first call of all is watched; once it is seen from line to line."""
    prepared = CompiledMaster(asked("f(1)\n### BEGIN HIDDEN TESTS\nf(2), g\n### END HIDDEN TESTS", "f(3)", digest="w"))
    assert [prepared.hidden_names[f"test-{number}"] for number in (0, 1)] == [{"f", "g"}, set()]
    calls_watched, secret = WatchedCalls(), [False]
    calls_watched.of(frozenset({"f"}))

    def cell(*calls: bool, hidden: set[str]) -> list[tuple[str, bool]]:
        calls_watched.begin(hidden)
        seen = []
        for secret[0] in calls:
            seen.append(calls_watched.next_call("f", lambda: secret[0]))
        return seen

    assert cell(False, True, True, hidden={"f"}) == [("", False), ("f", True), ("", False)]
    assert cell(False, True, hidden={"f"}) == [("", False), ("f", False)]
    assert cell(False, False, hidden=set()) == [("", False), ("", False)]
    calls_watched.of(frozenset({"f"}))
    assert cell(False, False, hidden=set()) == [("f", False), ("", False)]


@pytest.mark.parametrize(
    "value", [None, np.zeros((4, 2)), (np.ones(3), 1.0), []], ids=["none", "zeros", "few", "empty"]
)
def test_a_call_whose_answer_tells_nothing_does_not_use_the_look_up(value: Any) -> None:
    """What raises, or is known without work, is no sample of how a function works; a few times it is looked again."""
    watched = WatchedCalls()
    watched.of(frozenset({"f"}))
    watched.begin({"f"})
    for _ in range(LOOKS_AGAIN):
        assert watched.next_call("f", lambda: True) == ("f", True)
        watched.look_again("f", True, value)
    assert watched.next_call("f", lambda: True) == ("f", True)
    watched.look_again("f", True, value)
    assert watched.next_call("f", lambda: True) == ("", False)


def test_a_call_that_tells_something_uses_the_look_up() -> None:
    watched = WatchedCalls()
    watched.of(frozenset({"f"}))
    watched.begin({"f"})
    assert watched.next_call("f", lambda: True) == ("f", True)
    watched.look_again("f", True, (np.ones((4, 2)), np.zeros(2)))
    assert watched.next_call("f", lambda: True) == ("", False)


def test_the_worst_that_was_seen_of_a_function_counts() -> None:
    calls_watched = WatchedCalls()
    for how in ("unseen", "differences", ""):
        calls_watched.see("f", how)
    assert calls_watched.measured == {"f": "differences"}
