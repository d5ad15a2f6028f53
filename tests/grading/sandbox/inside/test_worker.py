"""The worker: given cells that were compiled before the fork do what their source does."""

import builtins
import socket
import sys
import types
from collections.abc import Iterator

import pytest

from bncourse.grading.sandbox.inside import statements
from bncourse.grading.sandbox.inside import worker as workers

PLAIN = "x = 1\nx / 0\nx + 1"


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[workers.Worker]:
    """One whose answers nobody reads; it puts modules of its own into the places of others."""
    with monkeypatch.context() as changed:
        for name in ("__main__", "IPython", "IPython.display"):
            changed.setitem(sys.modules, name, types.ModuleType(name))
        workers.shells.no_figures()  # those that other tests have left open
        ours, theirs = socket.socketpair()
        yield workers.Worker(ours.fileno())
        ours.close()
        theirs.close()


@pytest.fixture(autouse=True)
def nothing_learned() -> Iterator[None]:
    """Forget what a test has had learned."""
    yield
    statements.GIVEN.clear()
    statements.UNSEEN.clear()


def test_a_given_cell_runs_the_same_whether_it_was_compiled_before_or_not(worker: workers.Worker) -> None:
    fresh = worker.do_run("cell", PLAIN, True, [], 1, True)
    statements.learn("cell", PLAIN)
    assert all(statement.code for statement in statements.GIVEN["cell", PLAIN])
    assert worker.do_run("cell", PLAIN, True, [], 1, True) == fresh
    problems, text = fresh[1:3]
    assert problems == [(2, "ZeroDivisionError", "division by zero")]
    assert text == "2\n"


def test_a_students_cell_of_the_same_text_is_compiled_in_its_turn(worker: workers.Worker) -> None:
    statements.learn("cell", "x + 2")
    statements.GIVEN["cell", "x = 1\nx + 1"] = statements.GIVEN["cell", "x + 2"]
    assert worker.do_run("cell", "x = 1\nx + 1", False, [], 1, True)[2] == "2\n"


def test_what_begins_anew_knows_no_name_and_runs_cells_as_before(
    worker: workers.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = "try:\n    old = seen\nexcept NameError:\n    old = False\nseen = True\n"
    source = f"from __future__ import annotations\n{known}def f(x: Missing): return 1\nold"
    first = worker.do_run("cell", source, False, [], 1, True)
    assert first[1:3] == ([], "False\n")
    monkeypatch.setattr(workers.Surroundings, "untouched", lambda *_: True)
    assert worker.do_anew() == ("value", True, ())
    assert worker.do_get("f") == ("missing",)
    assert worker.do_run("cell", source, False, [], 1, True) == first
    assert worker.do_get("old")[1] is False


def test_what_begins_anew_does_not_hold_much_memory(worker: workers.Worker) -> None:
    source = "import weakref\nclass A: pass\na = A()\na.b = a\nprobe = weakref.ref(a)"
    worker.do_run("cell", source, False, [], 1, False)
    probe = worker.do_get("probe")[1]
    assert probe() is not None
    worker.surroundings._memory = -(1 << 30)  # as if it had held next to nothing before
    worker.do_anew()
    assert probe() is None


def test_a_definition_that_fails_names_its_line(worker: workers.Worker) -> None:
    source = "# mine\ndef f(x=missing):\n    return x"
    assert worker.do_run("cell", source, False, [], 1, True)[1] == [(2, "NameError", "name 'missing' is not defined")]
    indented = "def f(x):\n  return x\n return 1"
    assert worker.do_run("cell", indented, False, [], 1, True)[1][0][:2] == (3, "IndentationError")


LOUD = "class Loud:\n    said = 0\n    def __repr__(self):\n        Loud.said += 1\n        return 'loud'"


@pytest.mark.parametrize(("own", "times"), [("x = 1", 0), ("def print(x): repr(x)", 1)])
def test_what_nobody_sees_is_not_formatted_unless_print_is_something_else(
    worker: workers.Worker, monkeypatch: pytest.MonkeyPatch, own: str, times: int
) -> None:
    monkeypatch.setattr(sys, "stdout", worker.output)
    source = "print(Loud())\nseen = True\nLoud()"
    statements.learn("cell", source)
    worker.do_run("own", f"{LOUD}\n{own}", False, [], 1, False)
    worker.do_run("cell", source, True, [], 1, False)
    assert worker.space["seen"] is True
    assert worker.space["Loud"].said >= times and (worker.space["Loud"].said == 0) == (times == 0)
    before = worker.space["Loud"].said
    assert worker.do_run("cell", source, True, [], 1, True)[2].endswith("loud\n")
    assert worker.space["Loud"].said > before


def test_what_code_makes_of_a_stub_is_seen(worker: workers.Worker) -> None:
    worker.do_stub("a", "def f(): return 1", False, [], 1, False)
    worker.do_run("own", "d = f()", False, [], 1, False)
    assert worker.do_untouched({"a": ["f"]}) == ("value", True, ())
    worker.do_run("own", "exec('def f(): return 1')", False, [], 1, False)
    assert worker.do_untouched({"a": ["f"]}) == ("value", False, ())
    worker.do_anew()
    assert worker.do_untouched({"a": ["f"]}) == ("value", True, ())  # there is no such name


def test_names_that_are_put_beside_the_built_in_ones_are_found(
    worker: workers.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert worker.do_get("standardize") == ("missing",)
    monkeypatch.setattr(builtins, "standardize", 1, raising=False)
    assert worker.do_get("standardize") == ("value", 1, ())
