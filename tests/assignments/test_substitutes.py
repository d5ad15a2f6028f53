"""What stands in the place of an answer that stops is wrong, and lets the answers that call it show their work."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.authoring.private import RESTATED, private_master
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import run_checks

MASTERS = Path(__file__).resolve().parents[2] / "assignments" / "masters"


@cache
def master(task: str) -> Master:
    return load_master(MASTERS / f"{task}.md")


ALL = [(task, one.answer) for task in list_masters(MASTERS) for one in master(task).substitutes]


def lost(master: Master, answer: str, code: str) -> set[str]:
    """The tests that the solution loses with other code for one answer; those of predictions are left out."""
    cells: list[dict[str, Any]] = copy.deepcopy(source_notebook(master)["cells"])
    kept = [cell for cell in cells if not cell["id"].startswith("test-prediction")]
    for cell in kept:
        if cell["id"] == answer:
            cell["source"] = code
    return {one.grade_id for one in run_checks({"cells": kept}) if one.outcome != "correct"}


def check(master: Master, answer: str) -> None:
    one = next(each for each in master.substitutes if each.answer == answer)
    names = master.binds[answer]
    own = {cell.grade_id for cell in master.cells if cell.kind == "test"} - set(one.tests)
    own = {test for test in own if names & master.loads[test]}
    points = {cell.grade_id: cell.points for cell in master.cells}
    found = lost(master, answer, one.code)
    assert found <= own
    assert sum(points[test] for test in found) > sum(points[test] for test in own) / 2


@pytest.mark.parametrize(("task", "answer"), ALL)
def test_a_substitute_loses_most_points_of_its_answer_and_none_of_another(task: str, answer: str) -> None:
    check(master(task), answer)


@pytest.mark.parametrize(
    ("task", "answer", "secret"),
    [
        pytest.param(*one, secret, marks=() if one[0] in RESTATED and secret == "a" else pytest.mark.long)
        for one in ALL
        for secret in "abcd"
    ],
)
def test_so_does_it_in_an_assignment_of_an_instructors_own(task: str, answer: str, secret: str, tmp_path: Path) -> None:
    path = tmp_path / f"{task}.md"
    published = (MASTERS / path.name).read_text(encoding="utf-8")
    path.write_text(private_master(published, task, secret), encoding="utf-8")
    check(load_master(path), answer)


def test_each_answer_that_others_call_has_a_substitute() -> None:
    for task in list_masters(MASTERS):
        cells = [cell for cell in master(task).cells if cell.kind == "answer"]
        called = {
            one.grade_id
            for one in cells
            for test in master(task).cells
            for other in cells
            if test.kind == "test" and one.grade_id != other.grade_id
            if master(task).binds[one.grade_id]
            & master(task).loads[other.grade_id] - master(task).binds[other.grade_id]
            if master(task).binds[other.grade_id] & master(task).loads[test.grade_id]
        }
        assert called - {"second-part"} == {one.answer for one in master(task).substitutes}, task
