"""An instructor's own masters: drawn by a secret, of another structure, whole."""

import random
import re
from functools import cache
from pathlib import Path

import pytest

from bncourse.diagnosis.restated import Restated
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.authoring.private import RESTATED, STRUCTURED, conventions, must_fail, private_master
from bncourse.grading.authoring.private_edits import StructureError, with_own_names
from bncourse.grading.authoring.private_pytorch import torch_conventions
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import run_checks

MASTERS = Path(__file__).resolve().parents[3] / "assignments" / "masters"
SECRETS = [f"secret-{number}" for number in range(4)]


@cache
def own_text(assignment: str, secret: str) -> str:
    return private_master((MASTERS / f"{assignment}.md").read_text(encoding="utf-8"), assignment, secret)


def drawn(assignment: str, secret: str, folder: Path) -> Master:
    path = folder / f"{assignment}.md"
    path.write_text(own_text(assignment, secret), encoding="utf-8")
    return load_master(path)


@pytest.mark.parametrize("assignment", STRUCTURED)
@pytest.mark.parametrize("secret", SECRETS)
def test_the_solution_passes_all_tests(assignment: str, secret: str, tmp_path: Path) -> None:
    master = drawn(assignment, secret, tmp_path)
    verdicts = run_checks(source_notebook(master))
    assert [(each.grade_id, each.message) for each in verdicts if each.outcome != "correct"] == []
    published = load_master(MASTERS / f"{assignment}.md")
    assert [(cell.grade_id, cell.points) for cell in master.cells] == [
        (cell.grade_id, cell.points) for cell in published.cells
    ]


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_speaks_in_the_old_conventions(secret: str, tmp_path: Path) -> None:
    forward = {cell.grade_id: cell.source for cell in drawn("forward", secret, tmp_path).cells if cell.kind != "test"}
    backward = {cell.grade_id: cell.source for cell in drawn("backward", secret, tmp_path).cells if cell.kind != "test"}
    for name, source in [*forward.items(), *backward.items()]:
        assert not re.search(r"\(N, C\)|\(N, C, H, W\)|axis=0|column of|column 0|\bwhole column", source), name
    assert not any("running_var" in source for source in forward.values())
    assert not any("inv_std" in source for source in backward.values())


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_but_what_turns_round_speaks_of_the_published_layer(secret: str, tmp_path: Path) -> None:
    cells = {cell.grade_id: cell.source for cell in drawn("pytorch", secret, tmp_path).cells if cell.kind != "test"}
    about_tests = {"how-it-works", "setup", "function-run", "module-run"}
    for name, source in cells.items():
        if name not in about_tests:
            assert not re.search(r"axis 1\b|\(N, C, H, W\)|running_var|\(C_out, C_in|axis != 1", source), name
    assert not re.search(r"x, gamma, beta, eps\)", cells["function"])


def test_each_way_of_the_layer_is_drawn_and_never_the_published_one() -> None:
    own = [torch_conventions(random.Random(number)) for number in range(60)]
    for name, count in (("channels", 2), ("weighs", 2), ("arguments", 4), ("turned", 4)):
        assert len({getattr(each, name) for each in own}) == count
    assert all(each.arguments[0] != "x" and each.turned.spread != "var" for each in own)
    assert all(each.turned.weights != "OIHW" for each in own)


def test_in_a_test_functions_get_other_names_and_keywords_words_and_its_own_names_stay() -> None:
    source = 'check("f", f, f=f)\ndef slope(g):\n    return g(f, "é", f)'
    assert with_own_names(source, ["f", "g", "h"]) == (
        'check("f", own_f, f=own_f)\ndef slope(g):\n    return g(own_f, "é", own_f)',
        ["f"],
    )


def test_the_secret_decides_and_nothing_else() -> None:
    for assignment in STRUCTURED:
        text = (MASTERS / f"{assignment}.md").read_text(encoding="utf-8")
        made = [private_master(text, assignment, secret) for secret in ("one secret", "one secret", "another secret")]
        assert made[0] == made[1] != made[2]
        assert "one secret" not in made[0]


def test_all_conventions_are_drawn_and_never_the_published_ones() -> None:
    own = [conventions(assignment, f"{number}") for number in range(40) for assignment in RESTATED]
    assert {each.maps for each in own} == {"NHWC", "CNHW"} and {each.spread for each in own} == {"std", "precision"}
    for name in ("column", "weighs", "cache_first"):
        assert len({getattr(each, name) for each in own}) == 2
    backward = {each.gradients for each in own[::2]}
    assert len(backward) == 4 and all(order[0] != "dx" for order in backward)


def test_one_seed_does_not_tell_another(tmp_path: Path) -> None:
    old = load_master(MASTERS / "shift.md")
    new = drawn("shift", "a secret", tmp_path)
    moved = set()
    for one, other in zip(old.cells, new.cells, strict=True):
        if one.kind == "test":
            seeds = [re.findall(r"seed=(\d+)|default_rng\((\d+)\)", cell.source) for cell in (one, other)]
            moved |= {
                int("".join(after)) - int("".join(before)) for before, after in zip(seeds[0], seeds[1], strict=True)
            }
    assert len(moved) > 1


def test_the_words_of_other_years_are_drawn_and_gone(tmp_path: Path) -> None:
    text = private_master((MASTERS / "forward.md").read_text(encoding="utf-8"), "forward", "a secret")
    assert "varies:" not in text and "the values 1 and 3" not in text


def test_a_master_that_a_change_does_not_fit_is_named() -> None:
    text = (MASTERS / "forward.md").read_text(encoding="utf-8").replace("Return `y` and a `cache`.", "Return both.")
    with pytest.raises(StructureError, match="does not stand in the cell 'forward-task'"):
        private_master(text, "forward", "a secret")


def test_what_asks_the_same_need_not_fail() -> None:
    tests = ["test-prediction-1", "test-forward", "test-start", "test-inference-law"]
    assert must_fail("forward", tests, Restated(weighs="old")) == tests[1:]
    assert must_fail("forward", tests, Restated(column=True)) == ["test-forward"]
    assert must_fail("shift", tests, Restated()) == []
