"""One process of the oracle takes many submissions; none of them finds what another has left."""

import dataclasses

import pytest

from bncourse.grading.core import render
from bncourse.grading.core.records import Master, MasterCell, SubmissionRecord
from bncourse.grading.engine.grader import Grader
from bncourse.grading.oracle.process import MAX_SUBMISSIONS
from tests.grading.small import MASTER, RIGHT, WRONG, as_file, cell_of, hand_in

pytestmark = pytest.mark.sandbox

TEST = """\
import os
import sys
import warnings

if type(values_per_channel) is str:
    {change}
while values_per_channel == 0:
    pass
assert values_per_channel == 200, f"{{os.getpid()}}"
"""
LASTING = {
    "errors": "np.seterr(all='raise')",
    "warnings": "warnings.simplefilter('error')",
    "a library's function": "np.mean = None",
    "a folder": "os.chdir('/')",
    "environment": "os.environ['LEFT'] = '1'",
    "how numbers are written": "np.set_printoptions(precision=2)",
    "recursion": "sys.setrecursionlimit(500)",
    "much memory": "[bytearray(1 << 20) for _ in range(100)]",
}


def one_question(change: str = "pass") -> Master:
    """The small assignment's last question, whose test may change something for good."""
    kept = [cell for cell in MASTER.cells if cell.grade_id in ("setup", "number", "explain")]
    test = MasterCell("test-number", "test", TEST.format(change=change), 1.0)
    return dataclasses.replace(
        MASTER, cells=(kept[0], kept[1], test, kept[2]), seconds_in_all=1.5, metadata={"digest": change}
    )


def graded(master: Master, *values: object) -> list[SubmissionRecord]:
    """What becomes of submissions that bind these values, in one lane."""
    with Grader(jobs=1, cache=False) as grader:
        grader.prepare(master)
        return [grader.grade(master, f"{value}", handed_in(master, value)) for value in values]


def handed_in(master: Master, value: object) -> bytes:
    """The released notebook with this value as the answer."""
    made = render.release_notebook(master)
    cell_of(made, "number")["source"] = f"values_per_channel = {value!r}"
    return as_file(made)


def process_of(record: SubmissionRecord) -> str:
    """Which process judged the answer."""
    (verdict,) = record.verdicts
    assert verdict.outcome == "wrong", verdict
    return verdict.message


def test_one_process_takes_many_submissions_but_not_for_ever() -> None:
    records = graded(one_question(), *range(1, MAX_SUBMISSIONS + 10))
    processes = [process_of(record) for record in records]
    assert len(set(processes)) == 2
    assert processes.count(processes[0]) <= MAX_SUBMISSIONS


@pytest.mark.parametrize("change", LASTING.values(), ids=LASTING.keys())
def test_what_a_test_changes_for_good_ends_with_its_submission(change: str) -> None:
    before, changed, after, last = (process_of(each) for each in graded(one_question(change), 1, "one", 3, 4))
    assert before == changed != after == last


@pytest.mark.long  # test_session.py shows it in parts, in a fiftieth of the time
def test_a_test_that_does_not_end_costs_its_own_submission_only() -> None:
    endless, wrong, right = graded(one_question(), 0, 7, 200)
    assert [verdict.outcome for verdict in endless.verdicts] != ["correct"]
    assert process_of(wrong)
    assert right.score == 1


def test_the_order_in_which_submissions_come_changes_no_verdict() -> None:
    """Also where one process takes them all, wrong ones and right ones, explained and crashed."""
    broken = RIGHT | {"running": "raise ValueError('no')"}
    files = {
        f"{kind}{number}": hand_in(answers)
        for kind, answers in {"right": RIGHT, "wrong": WRONG, "broken": broken}.items()
        for number in range(4)
    }
    found = []
    for names in (sorted(files), sorted(files, reverse=True), sorted(files, key=lambda name: name[-1])):
        with Grader(jobs=1, cache=False) as grader:
            grader.prepare(MASTER)
            records = {name: grader.grade(MASTER, name, files[name]) for name in names}
        plain = [dataclasses.replace(v, seconds=0.0) for name in sorted(files) for v in records[name].verdicts]
        found.append((plain, [(records[name].status, records[name].notes) for name in sorted(files)]))
    assert found[0] == found[1] == found[2]
