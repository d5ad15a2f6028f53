"""One who knows the public repository cannot draw what a hidden test draws, and any course's seeds grade alike."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import SEED_FILE, Course
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.core.regions import hidden_lines
from bncourse.grading.core.render import release_notebook, source_notebook
from bncourse.grading.core.seeds import SEEDS, with_secret_seeds
from bncourse.grading.student.selfcheck import run_checks
from tests.assignments.whole_class import MASTERS

LOADED = {path.stem: load_master(path) for path in sorted(MASTERS.glob("*.md"))}
TESTS = [(name, cell.grade_id) for name, master in LOADED.items() for cell in master.cells if cell.kind == "test"]
NOTHING_IS_DRAWN = {
    ("training", "test-findings-rates"): "what a sweep shows on the digits",
    ("training", "test-findings-size"): "the same",
    ("pytorch", "test-module-state"): "the names and the starting values of a state",
    ("pytorch", "test-module-count"): "a count of batches",
}
DRAWN_BY_THE_SYSTEM = "try_check("
"""Tries a student's check on programs in an order that no seed foretells."""


def test_cell(assignment: str, name: str) -> MasterCell:
    return next(cell for cell in LOADED[assignment].cells if cell.grade_id == name)


test_cell.__test__ = False  # type: ignore[attr-defined]


def hidden(source: str) -> str:
    lines = source.split("\n")
    return "\n".join(lines[number - 1] for number in sorted(hidden_lines(source)))


def with_secret(master: Master, secret: str) -> Master:
    cells = tuple(
        replace(cell, source=with_secret_seeds(cell.source, secret, master.assignment)) if cell.kind == "test" else cell
        for cell in master.cells
    )
    return replace(master, cells=cells)


@pytest.mark.parametrize(("assignment", "name"), [each for each in TESTS if each not in NOTHING_IS_DRAWN])
def test_each_hidden_test_draws_from_a_seed_of_its_own_that_is_replaced(assignment: str, name: str) -> None:
    """It would foretell it all to go on with the generator of the part that students see."""
    source = test_cell(assignment, name).source
    text = hidden(source)
    if not text or DRAWN_BY_THE_SYSTEM in text:
        return
    assert SEEDS.search(text), "nothing in the hidden part is drawn"
    first = SEEDS.search(text)
    uses = re.search(r"\brng\.", text)
    assert uses is None or (first is not None and first.start() < uses.start())


@pytest.mark.parametrize(("assignment", "name"), TESTS)
def test_no_number_of_a_hidden_part_looks_like_a_seed_and_is_left(assignment: str, name: str) -> None:
    """Also where it is written in another way: as a list of seeds, or to a generator of another kind."""
    source = test_cell(assignment, name).source
    changed = hidden(with_secret_seeds(source, "other", assignment))
    for node in ast.walk(ast.parse(changed)):
        if isinstance(node, ast.Call):
            function = ast.unparse(node.func).rpartition(".")[2]
            drawn = [k.value for k in node.keywords if k.arg == "seed"]
            drawn += (
                node.args[:1] if function in ("default_rng", "RandomState", "manual_seed", "seed", "Random") else []
            )
            small = [each.value for each in drawn if isinstance(each, ast.Constant) and each.value < 2**40]
            assert not small, small
        assert not (isinstance(node, ast.Name) and node.id in ("randn", "rand")), "draws from a global generator"


def test_only_hidden_lines_change_and_equal_seeds_stay_equal() -> None:
    source = (
        "check(seed=3)\n### BEGIN HIDDEN TESTS\ncheck(seed=3)\nother(seed=3, n=3)\n### END HIDDEN TESTS\ncheck(seed=3)"
    )
    changed = with_secret_seeds(source, "a", "small")
    before, first, last = changed.split("\n")[0], changed.split("\n")[2], changed.split("\n")[3]
    assert before == "check(seed=3)" == changed.split("\n")[5]
    assert first != "check(seed=3)" and last == first.replace("check", "other").replace(")", ", n=3)")
    assert changed != with_secret_seeds(source, "b", "small") != with_secret_seeds(source, "b", "other")


def test_a_course_has_a_secret_of_its_own_which_stays_and_is_in_no_release(tmp_path: Path) -> None:
    courses = [find_course(tmp_path / name, MASTERS) for name in ("one", "two")]
    masters = [course.master("backward") for course in courses]
    assert masters[0].key != masters[1].key != LOADED["backward"].key
    again: Course = find_course(tmp_path / "one", MASTERS)
    assert again.master("backward").key == masters[0].key
    secret = tmp_path / "one" / SEED_FILE
    assert secret.stat().st_mode & 0o077 == 0 and len(secret.read_text()) == 32
    assert release_notebook(masters[0]) == release_notebook(masters[1]), "students get the same"


@pytest.mark.parametrize("assignment", LOADED)
@pytest.mark.parametrize("secret", [pytest.param(str(n), marks=[pytest.mark.long] if n else []) for n in range(8)])
def test_the_solution_passes_whatever_a_course_draws(assignment: str, secret: str) -> None:
    verdicts = run_checks(source_notebook(with_secret(LOADED[assignment], secret)))
    assert [verdict for verdict in verdicts if verdict.outcome != "correct"] == []
