"""Wrong answers that were written from the notebooks' text alone: nine of ten are named, and each loses what it must.

One file of `wrong_answers` for each assignment. An answer changes one cell of the solution: `edits` holds old and new
text in turn. `loses` are the tests that it deserves to lose, and no other.
"""

import copy
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.authoring.masters import load_master
from bncourse.grading.core.records import Verdict
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import run_checks

HERE = Path(__file__).resolve().parent
TASKS = sorted(path.stem for path in (HERE / "wrong_answers").glob("*.toml"))


@cache
def solution(task: str) -> dict[str, Any]:
    return dict(source_notebook(load_master(HERE.parents[1] / "assignments" / "masters" / f"{task}.md")))


def lost(task: str, answer: dict[str, Any]) -> list[Verdict]:
    """The verdicts of the tests that an answer loses."""
    cells = copy.deepcopy(solution(task)["cells"])
    place = next(number for number, cell in enumerate(cells) if cell["id"] == answer["cell"])
    cell = cells[place]
    for old, new in zip(answer["edits"][::2], answer["edits"][1::2], strict=True):
        assert old in cell["source"], f"{answer['says']}: {old!r} does not stand in the solution."
        cell["source"] = cell["source"].replace(old, new)
    before = [one for one in cells[:place] if not one["id"].startswith("test-")]  # what it cannot change
    return [verdict for verdict in run_checks({"cells": before + cells[place:]}) if verdict.outcome != "correct"]


@pytest.mark.parametrize("task", [pytest.param(task, marks=pytest.mark.long) for task in TASKS])
def test_nine_of_ten_wrong_answers_are_named_and_each_loses_what_it_must(task: str) -> None:
    answers = tomllib.loads((HERE / "wrong_answers" / f"{task}.toml").read_text(encoding="utf-8"))["answer"]
    verdicts = {answer["says"]: lost(task, answer) for answer in answers}
    assert len(verdicts) == len(answers) >= 25
    assert {says: [one.grade_id for one in found] for says, found in verdicts.items()} == {
        answer["says"]: answer["loses"] for answer in answers
    }
    unnamed = [says for says, found in verdicts.items() if not any(one.belief for one in found)]
    assert len(unnamed) <= len(answers) / 10, unnamed
    for says, found in verdicts.items():
        assert all(len(one.message.split()) >= 6 for one in found), (says, [one.message for one in found])
