"""What code makes of a cell without an answer is seen, in whatever way it does so."""

from typing import Any

import pytest

from bncourse.grading.sandbox.inside.stubs import Stubs

A = "def f(): return 1\nclass A:\n    def g(self): return 1"
NAMES = {"a": ["f", "A"], "b": ["c"]}


def ran(code: str) -> bool:
    """Whether two stubs, of which the second binds nothing, are untouched after code has run."""
    space: dict[str, Any] = {}
    stubs = Stubs()
    exec(A, space)
    stubs.note("a", {}, space)
    stubs.note("b", dict(space), space)
    exec(code, space)
    return stubs.untouched(NAMES, space)


def test_what_was_given_before_a_stub_that_binds_nothing_is_no_answer() -> None:
    space: dict[str, Any] = {}
    stubs = Stubs()
    exec(A, space)
    stubs.note_given({}, space)
    stubs.note("mend", dict(space), space)
    assert stubs.untouched({"mend": ["f"]}, space)
    exec("def f(): return 2", space)
    assert not stubs.untouched({"mend": ["f"]}, space)


@pytest.mark.parametrize("code", ["", "d = f() + A().g()", "del f"])
def test_what_reads_a_stub_leaves_it_untouched(code: str) -> None:
    assert ran(code)


@pytest.mark.parametrize(
    "code",
    [
        "f = lambda: 2",
        "f.__code__ = (lambda: 2).__code__",
        "exec('def f(): return 1')",
        "A.g = lambda self: 2",
        "del A.g",
        "exec('c = 2')",
    ],
)
def test_what_binds_or_changes_the_names_of_a_stub_is_seen(code: str) -> None:
    assert not ran(code)
