"""No file, however damaged, makes a run fail: mutations of notebooks, read and graded.

`BNCOURSE_FUZZ=20000 pytest tests/acceptance/test_fuzz.py` tries more of them.
"""

import copy
import json
import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from bncourse.grading.core import render
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.records_table import to_json
from bncourse.grading.submissions.read import read_submission
from bncourse.grading.submissions.submission import submission_of
from bncourse.grading.workflows.submission_process import graded_notebook
from tests.grading.small import FULL, MASTER, RIGHT, WRONG, as_file, hand_in, notebook

CASES = int(os.environ.get("BNCOURSE_FUZZ", "2000"))
GRADED = CASES // 20

ODD: list[Any] = [
    None, True, -1, 0, 2**70, 1.5, float("nan"), float("inf"), "", "\0", "\ud800", "\u202e", "x" * 5000,
    [], {}, [[]], {"": {}},
    ["a", 1, None], "raise SystemExit", "%%bash\nls", "def f(:", "(" * 300, "-" * 5000 + "1",
    "\t\t x", "markdown", "raw", "code", "setup", "scale",
    {"nbgrader": None}, {"nbgrader": {"grade_id": []}}, {"nbgrader": {"grade_id": "scale"}}, {"source": 1},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to every part of a JSON value."""
    found = [path] if path else []
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        found += places(part, (*path, key))
    return found


def parent_of(made: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        made = made[key]
    return made


def change_value(dice: random.Random, made: Any) -> None:
    path = dice.choice(places(made))
    parent_of(made, path)[path[-1]] = copy.deepcopy(dice.choice(ODD))  # which a later change may put something into


def drop_value(dice: random.Random, made: Any) -> None:
    path = dice.choice(places(made))
    del parent_of(made, path)[path[-1]]


def copy_value(dice: random.Random, made: Any) -> None:
    source, target = dice.choice(places(made)), dice.choice(places(made))
    value = parent_of(made, source)[source[-1]]
    parent_of(made, target)[target[-1]] = json.loads(json.dumps(value))


def shuffle_cells(dice: random.Random, made: Any) -> None:
    if isinstance(made.get("cells"), list):
        dice.shuffle(made["cells"])


def double_cell(dice: random.Random, made: Any) -> None:
    if isinstance(made.get("cells"), list) and made["cells"]:
        made["cells"].insert(dice.randrange(len(made["cells"])), copy.deepcopy(dice.choice(made["cells"])))


def spoil_source(dice: random.Random, made: Any) -> None:
    cells = made.get("cells")
    cells = [c for c in cells if isinstance(c, dict)] if isinstance(cells, list) else []
    cells = [c for c in cells if isinstance(c.get("source"), str) and c["source"]]
    if cells:
        cell = dice.choice(cells)
        at = dice.randrange(len(cell["source"]))
        cell["source"] = (
            cell["source"][:at]
            + dice.choice(["", "\n", " ", "(", "'''", "\0", "\\", "é", ":", "#"])
            + cell["source"][at + 1 :]
        )


CHANGES: list[Callable[[random.Random, Any], None]] = [
    change_value, change_value, drop_value, copy_value, shuffle_cells, double_cell, spoil_source, spoil_source,
]  # fmt: skip


def spoil_bytes(dice: random.Random, raw: bytes) -> bytes:
    """Damage a file as disks, editors and mail programs do."""
    kind = dice.randrange(6)
    at = dice.randrange(len(raw))
    if kind == 0:
        return raw[:at]
    if kind == 1:
        return raw[:at] + bytes([dice.randrange(256)]) + raw[at + 1 :]
    if kind == 2:
        return raw[:at] + dice.randbytes(dice.randrange(20)) + raw[at:]
    if kind == 3:
        return raw.replace(b"\n", b"\r\n").replace(b'"', b"'", dice.randrange(3))
    if kind == 4:
        return raw.decode("utf-8", "replace").encode(
            dice.choice(["utf-16", "utf-32", "utf-16-be", "utf-8-sig", "cp500"])
        )
    return dice.randbytes(dice.randrange(2000))


def mutant(number: int) -> bytes:
    """The file of one case."""
    dice = random.Random(number)
    made: Any = notebook(dice.choice([RIGHT, WRONG, {}]))
    for _ in range(dice.randrange(1, 6)):
        dice.choice(CHANGES)(dice, made)
        if not isinstance(made, dict) or not places(made):
            break
    raw = as_file(made)
    return spoil_bytes(dice, raw) if dice.random() < 0.25 else raw


@pytest.mark.parametrize("cases", [CASES // 8, pytest.param(CASES, marks=pytest.mark.long)])
def test_no_mutant_makes_reading_fail(cases: int) -> None:
    unreadable = 0
    for number in range(cases):
        reading = read_submission(MASTER, mutant(number))
        assert isinstance(reading.reason, str)
        assert all(isinstance(text, str) for text in [*reading.answers.values(), *reading.repairs])
        unreadable += bool(reading.reason)
    assert 0 < unreadable < cases / 2


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_no_mutant_makes_reading_rendering_or_the_record_fail_or_take_five_seconds() -> None:
    """What is shown of a hundred thousand files is a notebook, and what is kept of them is text, each in no time."""
    released = render.release_notebook(MASTER)
    for number in range(50 * CASES):
        raw = mutant(number)
        start = time.process_time()
        submission = submission_of(MASTER, "x", raw)
        record = SubmissionRecord("x", "small", "repaired", (), submission.reading.repairs, submission.reading.reason)
        render.as_bytes(graded_notebook(released, submission, record))
        to_json(record).encode()
        Attempt(MASTER, submission.reading)
        assert time.process_time() - start < 5.0, number


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.long
def test_every_mutant_gets_one_status_and_a_verdict_for_every_question() -> None:
    tests = [cell.grade_id for cell in MASTER.cells if cell.kind == "test"]
    seen: dict[str, SubmissionRecord] = {}
    with Grader(jobs=2) as grader:
        for record in grader.grade_many(MASTER, ((str(n), mutant(n)) for n in range(GRADED))):
            seen[record.student] = record
            assert [verdict.grade_id for verdict in record.verdicts] == tests
            assert 0 <= record.score <= FULL
            assert "grader failed" not in record.reason
        assert grader.grade(MASTER, "after", hand_in()).score == FULL
    assert len(seen) == GRADED
