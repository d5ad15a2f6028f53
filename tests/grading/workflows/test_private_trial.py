"""Private masters are tried before they become a course, and one that lets pass too much is refused."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import CourseError
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.authoring.private import private_master
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import run_checks
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


CHANGED = {
    "forward": [
        "shape `(C, N)`",
        "shape `(C, 1)`",
        "`(N, H, W, C)`",
        "`running_std` is",
        "the *old* value",
        "`(cache, y)`",
    ],
    "backward": ["shape `(C, N)`", "`(N, H, W, C)`", "a cache, the tuple", "`dprecision`", "`(dgamma, dbeta, dx)`"],
    "pytorch": [
        "`(N, H, W, C)` are one piece",
        "`beta, x, gamma` and `eps`",
        "`running_precision` is",
        "`(H, W, C_in, C_out)`",
        "reordered(fold",
    ],
    "shift": ["reordered(standardize", "reordered(train_naively", "reordered(weighted_line"],
    "training": ["reordered(loss_and_gradients", "reordered(train,", "reordered(normalize_backward"],
    "beyond": ["reordered(group_norm_forward", "reordered(fooling_backward", "reordered(my_check"],
}
"""What a private master says of each structure of its own, for one secret."""
KEPT = {
    "forward": {"test-forward-default", "test-inference-law"},
    "backward": {"test-projection"},
    "pytorch": set(),
    "shift": {"test-weights", "test-condition", "test-zca", "test-zca-eps", "test-honest"},
    "training": {"test-mend-scale"},
    "beyond": {"test-merge", "test-merge-far"},
}
"""The tests of code that last year's right notebook still passes; all others it loses."""


@pytest.mark.parametrize("assignment", list(CHANGED))
def test_last_years_right_notebook_loses_each_test_whose_structure_has_changed(assignment: str, tmp_path: Path) -> None:
    published = load_master(ASSIGNMENTS / "masters" / f"{assignment}.md")
    path = tmp_path / f"{assignment}.md"
    path.write_text(
        private_master((ASSIGNMENTS / "masters" / path.name).read_text("utf-8"), assignment, SECRET), "utf-8"
    )
    private = load_master(path)
    text = "\n".join(cell.source for cell in private.cells)
    assert [words for words in CHANGED[assignment] if words not in text] == []
    assert not any(words in cell.source for words in CHANGED[assignment] for cell in published.cells)
    found = {each.grade_id: each.outcome for each in run_checks(last_years(private, published))}
    tests = {cell.grade_id for cell in private.cells if cell.kind == "test" and "-prediction-" not in cell.grade_id}
    assert {name for name in tests if found[name] == "correct"} == KEPT[assignment]


@pytest.mark.parametrize(("assignment", "tried"), [("shift", (12, 6, 3)), ("pytorch", (18, 6, 14))])
def test_last_years_right_answers_of_the_sample_class_lose_them_too(
    assignment: str, tried: tuple[int, ...], tmp_path: Path
) -> None:
    shipped = find_course(tmp_path, ASSIGNMENTS / "masters")
    published = load_master(ASSIGNMENTS / "masters" / f"{assignment}.md")
    path = tmp_path / f"{assignment}.md"
    path.write_text(
        private_master((ASSIGNMENTS / "masters" / path.name).read_text("utf-8"), assignment, SECRET), "utf-8"
    )
    trial = try_private(load_master(path), published, shipped, SECRET)
    assert (trial.tests, trial.answers, trial.lost) == tried


def last_years(private: Master, published: Master) -> dict[str, Any]:
    """The private notebook with the published solution in its cells."""
    solution = {cell["id"]: cell["source"] for cell in source_notebook(published)["cells"] if is_answer(cell)}
    notebook: dict[str, Any] = source_notebook(private)
    cells = [cell | {"source": solution.get(cell["id"], cell["source"])} for cell in notebook["cells"]]
    return notebook | {"cells": cells}


def is_answer(cell: dict[str, Any]) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("solution"))


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
