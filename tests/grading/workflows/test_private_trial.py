"""Private masters are tried before they become a course, and one that lets pass too much is refused."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import CourseError, find_course
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.authoring.private import private_master
from bncourse.grading.workflows import new_course as making
from bncourse.grading.workflows.new_course import Wishes, new_course
from bncourse.grading.workflows.private_trial import Trial, try_private

ASSIGNMENTS = Path(__file__).resolve().parents[3] / "assignments"
SECRET = "secret-1"


@pytest.mark.parametrize("assignment", ["forward", "backward"])
def test_a_master_in_which_last_years_answers_pass_is_refused(assignment: str, tmp_path: Path) -> None:
    shipped = find_course(tmp_path, ASSIGNMENTS / "masters")
    published = load_master(ASSIGNMENTS / "masters" / f"{assignment}.md")
    with pytest.raises(CourseError, match="Last year's right answers of the published solution pass"):
        try_private(published, published, shipped, SECRET)


@pytest.mark.parametrize("assignment", ["shift", "beyond"])
def test_last_years_answers_lose_each_test_that_wants_another_order_of_arguments(
    assignment: str, tmp_path: Path
) -> None:
    shipped = find_course(tmp_path, ASSIGNMENTS / "masters")
    text = (ASSIGNMENTS / "masters" / f"{assignment}.md").read_text(encoding="utf-8")
    path = tmp_path / f"{assignment}.md"
    path.write_text(private_master(text, assignment, SECRET), encoding="utf-8")
    published = load_master(ASSIGNMENTS / "masters" / f"{assignment}.md")
    trial = try_private(load_master(path), published, shipped, SECRET)
    assert (trial.answers, trial.lost) == {"shift": (6, 3), "beyond": (6, 14)}[assignment]


def test_a_master_that_lets_a_wrong_program_pass_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = find_course(tmp_path, ASSIGNMENTS / "masters")
    published = load_master(ASSIGNMENTS / "masters" / "forward.md")
    weak = tuple(
        replace(cell, source="assert callable(batch_norm_forward)")
        if cell.kind == "test" and "prediction" not in cell.grade_id
        else cell
        for cell in published.cells
    )
    monkeypatch.setattr("bncourse.grading.workflows.private_trial.must_fail", lambda *_: [])
    with pytest.raises(CourseError, match=r"The wrong program .* passes all tests of the private forward"):
        try_private(replace(published, cells=weak), published, shipped, SECRET)


def test_a_private_course_has_masters_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "assignments"
    for part in ("masters/forward.md", "classes/forward.toml"):
        (shipped / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ASSIGNMENTS / part, shipped / part)
    monkeypatch.setattr(making, "shipped_assignments", lambda: shipped)
    tried: list[Trial] = []
    course = new_course(tmp_path / "2028", Wishes(secret=SECRET), tried)
    (trial,) = tried
    assert (trial.tests, trial.answers, trial.lost) == (17, 6, 9)
    assert trial.specimens > 70 and trial.right > 10
    assert json.loads((course.root / "private.json").read_text()) == {"secret": SECRET}
    assert "Restated(" in (course.masters / "forward.md").read_text()
    assert not (course.masters.parent / "classes").exists()
    assert course.master("forward").metadata["due"]


def test_the_example_is_refused_beside_private(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["new-course", str(tmp_path / "c"), "--private", "--example"])
    assert result.exit_code == 2 and "answers the published assignments" in result.output
    assert not (tmp_path / "c").exists()


@pytest.mark.long
def test_all_masters_become_private_by_one_line(tmp_path: Path) -> None:
    words = ["new-course", str(tmp_path / "c"), "--private", "--platform", "folder", "--zone", "UTC"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    counts = [int(count) for count in re.findall(r"each of (\d+) wrong programs at least one", result.output)]
    assert len(counts) == 2 and min(counts) > 70
