"""Every specimen of the catalogue gets exactly the points that it deserves, as specimens.toml states them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bncourse.diagnosis.evidence.specimens import SPECIMENS
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import run_checks

HERE = Path(__file__).resolve().parent
MASTERS = HERE.parents[1] / "assignments" / "masters"
BOTH = "batch_norm_forward, {} = specimen.forward, specimen.{}"
PLACES = {
    "backward.backward": ("closed", BOTH.format("batch_norm_backward", "gradient")),
    "backward.pair": ("closed", BOTH.format("batch_norm_backward", "gradient")),
    "backward.conv": ("conv", "batch_norm_forward_conv = specimen.function"),
    "forward.forward": ("forward", "batch_norm_forward = specimen.function"),
    "forward.inference": ("inference", "batch_norm_inference = specimen.function"),
    "forward.running": ("running", "update_running = specimen.function"),
    "forward.conv": ("conv", "batch_norm_forward_conv = specimen.function"),
}
"""By assignment and role: below which answer a specimen takes its place, and how."""
TABLE: dict[str, dict[str, dict[str, list[str]]]] = tomllib.loads((HERE / "specimens.toml").read_text("utf-8"))


def lost(assignment: str, role: str) -> dict[str, list[str]]:
    """The tests that each specimen of a role loses, of those that follow its place and come before the next answer."""
    answer, takes_its_place = PLACES[f"{assignment}.{role}"]
    cells = source_notebook(load_master(MASTERS / f"{assignment}.md"))["cells"]
    place = [cell["id"] for cell in cells].index(answer)
    answers = [n for n, cell in enumerate(cells) if cell["metadata"].get("nbgrader", {}).get("solution")]
    until = next((n for n in answers if n > place), len(cells))
    before = [cell for cell in cells[: place + 1] if not cell["id"].startswith("test-")]
    tests = [cell for cell in cells[place:until] if cell["id"].startswith("test-")]
    if role == "conv":
        tests = tests[:1]  # the way back is another function
    found = {}
    for number, specimen in enumerate(SPECIMENS):
        if specimen.role == role:
            given = f"from bncourse.diagnosis.evidence.specimens import SPECIMENS\nspecimen = SPECIMENS[{number}]"
            code = f"{given}\n{takes_its_place}"
            taken: dict[str, Any] = {"cell_type": "code", "id": "specimen", "metadata": {}, "source": code}
            verdicts = run_checks({"cells": [*before, taken, *tests]})
            found[specimen.name] = [verdict.grade_id for verdict in verdicts if verdict.outcome != "correct"]
    return found


@pytest.mark.parametrize("place", PLACES)
def test_every_specimen_gets_exactly_the_points_that_it_deserves(place: str) -> None:
    assignment, role = place.split(".")
    found = lost(assignment, role)
    assert all(found.values()), "a specimen that loses nothing"
    assert found == TABLE[assignment][role]
