"""A pass: what a student's code returns may cost this side time, and ends at a test that it has stopped."""

import dataclasses
import time
from types import SimpleNamespace
from typing import Any

import pytest

from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.engine import grader as engine
from bncourse.grading.engine import worker_pool
from bncourse.grading.engine.grader import Grader
from bncourse.grading.oracle.compiled_master import CompiledMaster
from bncourse.grading.oracle.remote_errors import StudentLate, TestLate
from bncourse.grading.oracle.session import OWN_SECONDS, OWN_TIMES, Session
from tests.grading.small import MASTER, hand_in

CELLS = {cell.grade_id: cell for cell in MASTER.cells}


def asked(*tests: str, digest: str) -> Master:
    """The small assignment's question for a number, with other tests."""
    made = [MasterCell(f"test-{number}", "test", text, 1.0) for number, text in enumerate(tests)]
    answer = MasterCell("number", "answer", f"### BEGIN SOLUTION\n{SOLUTION}\n### END SOLUTION")
    cells = (CELLS["setup"], answer, *made)
    return dataclasses.replace(MASTER, cells=cells, seconds_per_test=0.5, metadata={"digest": digest})


SOLUTION = "values_per_channel, helper = [200], 1\ndef values(x):\n    return x"
HIDING = """\
assert len(values_per_channel) == 1
del helper
values(1)"""


@pytest.mark.sandbox
def test_code_that_does_not_end_while_a_name_is_hidden_costs_one_test() -> None:
    """Giving the name back to a process that has ended must not lose what was found."""
    master = asked(HIDING, "assert values_per_channel == [200]", digest="hiding")
    code = SOLUTION.replace("return x", "__import__('time').sleep(60)")
    with Grader(jobs=1, cache=False) as grader:
        record = grader.grade(master, "x", hand_in({"number": code}))
    assert [verdict.outcome for verdict in record.verdicts] == ["timeout", "correct"]


@pytest.mark.sandbox
def test_one_long_step_of_the_oracles_own_is_ended_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No signal breaks off a sum of very many numbers, which would go on for minutes."""
    master = asked("assert sum(range(values_per_channel[0] - 200)) == 0", digest="sum")
    code = SOLUTION.replace("200", "10**12")
    with Grader(jobs=1, cache=False) as grader:
        grader.prepare(master)
        grader.grade(master, "first", hand_in({"number": SOLUTION}))
        for name, value in {"OWN_TIMES": 0.0, "OWN_SECONDS": 0.0, "OVERDUE_OWN_SECONDS": 0.5}.items():
            monkeypatch.setattr(engine, name, value)
        monkeypatch.setattr(worker_pool, "LOOK_SECONDS", 0.2)
        record = grader.grade(master, "x", hand_in({"number": code}))
        monkeypatch.undo()
        right = grader.grade(master, "y", hand_in({"number": SOLUTION}))
    assert [verdict.outcome for verdict in record.verdicts] == ["needs review"]
    assert [verdict.outcome for verdict in right.verdicts] == ["correct"]


def session(seconds: float = 1.0) -> Session:
    """A pass that asks nobody."""
    silent: Any = SimpleNamespace(in_all=SimpleNamespace(charged=lambda: 0.5))
    report: Any = SimpleNamespace(send=lambda data: None)
    part = {"phase": "preview", "steps": [], "seconds": seconds}
    return Session(CompiledMaster(MASTER), {"seconds": seconds}, part, silent, report)


def test_what_is_read_of_an_answer_counts_whatever_step_asked_for_it() -> None:
    made = session()
    with made.own_time():
        assert made.own_until <= time.process_time() + OWN_TIMES + OWN_SECONDS
    assert made.own_left < made.own_most and made.spent() == 0.5
    made.own_left = 0.0
    with pytest.raises(StudentLate), made.own_time():
        pass
    assert made.spent() == pytest.approx(1.0, abs=0.1)


def test_an_answer_that_takes_too_long_to_read_is_the_students_time() -> None:
    made = session()
    with pytest.raises(StudentLate), made.own_time():
        made.own_until = 0.0
        made.on_timer()
    assert not made.sound
    with pytest.raises(TestLate):
        made.own_until = 0.0
        made.on_timer()
