"""Another year's release of every assignment marks as rightly as the master's own."""

import ast
import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.authoring.sample_class import SampleStudent, submission
from bncourse.grading.core.records import Master, Verdict
from bncourse.grading.core.render import as_bytes, release_notebook, source_notebook
from bncourse.grading.student.selfcheck import run_checks
from bncourse.grading.workflows.choose_variant import choose_variant
from tests.assignments.whole_class import MASTERS, class_of, graded_by_the_engine, one_at_once, who_learned_by_heart

ASSIGNMENTS = list_masters(MASTERS)
YEARS = ("2026", "2027", "2028")
"""One of each set of numbers."""
SLOW_AND_NOT_READ = {"curves", "rates-run", "sizes-run", "mended"}
"""Given cells of `training` that take a second, for those who do not compute with what they leave behind."""


def master_of(assignment: str, variant: str | None = None) -> Master:
    return load_master(MASTERS / f"{assignment}.md", variant)


def handed_in(student: SampleStudent, master: Master, notebook: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(submission(student, master, notebook, {}, 1))
    if "RATES" not in str(student.answers.get("findings-rates")):
        made["cells"] = [cell for cell in made["cells"] if cell["id"] not in SLOW_AND_NOT_READ]
    return made


def can_be_run_here(student: SampleStudent) -> bool:
    """Whether the student's code neither ends this process, nor breaks off in the middle of a statement."""
    try:
        for source in student.answers.values():
            ast.parse(source)
    except SyntaxError:
        return False
    return student.begins == "solution" and student.status in ("correct", "wrong")


def graded(student: SampleStudent, master: Master, *, hidden: bool) -> dict[str, Verdict]:
    """The verdicts of the visible tests, and of the hidden ones if wished for."""
    made = handed_in(student, master, release_notebook(master))
    tests = {cell.grade_id: cell.source for cell in master.cells if cell.kind == "test"}
    for cell in made["cells"]:
        if hidden and cell["id"] in tests:
            cell["source"] = tests[cell["id"]]
    return {verdict.grade_id: verdict for verdict in run_checks(made)}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_variant_changes_numbers_seeds_and_orders_and_no_points(assignment: str) -> None:
    original, *others = [master_of(assignment, variant) for variant in (None, *YEARS)]
    for other in others:
        facts = [(cell.grade_id, cell.kind, cell.points) for cell in other.cells]
        assert facts == [(cell.grade_id, cell.kind, cell.points) for cell in original.cells]
        changed = [one.kind for one, its in zip(original.cells, other.cells, strict=True) if one.source != its.source]
        assert changed.count("test") >= 8 and "text" in changed
    assert len({as_bytes(release_notebook(master)) for master in (original, *others)}) == 4


def test_a_variant_is_the_same_bytes_in_every_process() -> None:
    program = (
        "import hashlib, sys; from pathlib import Path\n"
        "from bncourse.grading.authoring.masters import load_master\n"
        "from bncourse.grading.core.render import as_bytes, source_notebook\n"
        f"for path in sorted(Path({str(MASTERS)!r}).glob('*.md')):\n"
        "    print(hashlib.sha256(as_bytes(source_notebook(load_master(path, '2027')))).hexdigest())\n"
    )
    said = set()
    for salt in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": salt}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        said.add(done.stdout)
    assert len(said) == 1 and said.pop().count("\n") == len(ASSIGNMENTS)


@pytest.mark.parametrize("variant", [YEARS[1], *(pytest.param(year, marks=pytest.mark.long) for year in YEARS[::2])])
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_in_a_variant_the_solution_gets_full_marks_and_the_release_nothing(assignment: str, variant: str) -> None:
    master = master_of(assignment, variant)
    assert {verdict.message for verdict in run_checks(source_notebook(master)) if verdict.outcome != "correct"} == set()
    released = run_checks(release_notebook(master))
    assert {verdict.outcome for verdict in released} == {"not attempted"}
    assert sum(verdict.points for verdict in released) == 0


@pytest.mark.parametrize("assignment", one_at_once(ASSIGNMENTS, "backward", "forward"))
def test_in_a_variant_the_class_gets_the_marks_that_its_code_deserves(assignment: str) -> None:
    """In this process, so without those whose code would end it."""
    master = master_of(assignment, "2027")
    kept = copy.copy(os.environ)
    tried = 0
    for student in class_of(assignment).students:
        if can_be_run_here(student):
            found = graded(student, master, hidden=True)
            lost = {name: verdict.max_points for name, verdict in found.items() if verdict.outcome != "correct"}
            assert lost == student.lost, f"{student.id}, who {student.story}"
            tried += 1
    assert tried >= 12 and os.environ == kept


@pytest.mark.sandbox
@pytest.mark.long
@pytest.mark.parametrize("assignment", ["forward", "shift"])
def test_in_a_variant_the_engine_gives_the_class_its_marks(assignment: str, sandbox: None, tmp_path: Path) -> None:
    course = find_course(tmp_path / "course", MASTERS)
    choose_variant(course, assignment, "2027")
    assert course.master(assignment).metadata["variant"] == "2027"
    assert graded_by_the_engine(course, assignment)


def test_what_one_reads_off_last_year_does_not_pass_this_year() -> None:
    readings = {"test-findings-rates", "test-findings-size"}
    solutions = {year: master_of("training", year) for year in YEARS}
    for year, master in solutions.items():
        for other, its in solutions.items():
            answers = {c.grade_id: c.source for c in its.cells if c.grade_id in ("findings-rates", "findings-size")}
            notebook = source_notebook(master)
            kept = {*answers, *readings}
            notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] in kept]
            for cell in notebook["cells"]:
                cell["source"] = answers.get(cell["id"], cell["source"])
            passed = {verdict.grade_id for verdict in run_checks(notebook) if verdict.outcome == "correct"}
            assert passed == (readings if year == other else set()), f"{other}'s readings in {year}"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_last_years_visible_numbers_known_by_heart_do_not_pass_this_year(assignment: str) -> None:
    memorized = who_learned_by_heart(assignment)
    before, after = (
        {
            name
            for name, verdict in graded(memorized, master_of(assignment, year), hidden=False).items()
            if verdict.points
        }
        for year in (None, "2027")
    )
    assert after < before
