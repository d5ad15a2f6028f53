"""A master is tried before it is released; the book's example of one is tried here."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.student.selfcheck import run_checks

EXAMPLE = Path(__file__).parents[3] / "book" / "teach" / "example_master.txt"
STUB = "# YOUR CODE HERE\n    raise NotImplementedError()"


@pytest.fixture
def own(tmp_path: Path) -> Course:
    masters = tmp_path / "assignments" / "masters"
    masters.mkdir(parents=True)
    shutil.copy(EXAMPLE, masters / "rms.md")
    return find_course(tmp_path / "course")


def messages(course: Course, code: str) -> list[str]:
    """What the released notebook's tests say to an answer."""
    notebook = json.loads(course.notebook("release", "rms").read_bytes())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace(STUB, code)
    return [verdict.message for verdict in run_checks(notebook)]


def test_the_example_is_released_and_its_visible_test_tells_right_from_wrong(own: Course) -> None:
    done = CliRunner().invoke(main, ["release", "rms", "--course", str(own.root)])
    assert done.exit_code == 0, done.output
    root = "np.sqrt((x * x).mean(axis=1)[:, None] + eps)"
    assert messages(own, f"return x * gamma / {root}") == [""]
    assert "mean square 1" in messages(own, "return gamma * x / np.sqrt((x**2).mean(axis=0) + eps)")[0]
    assert (
        "subtract a mean" in messages(own, "x = x - x.mean(axis=1, keepdims=True)\n    return gamma * x / " + root)[0]
    )


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("/ columns + eps", "/ columns", "does not pass test-rms: A hidden test failed|y is wrong for another batch"),
        ("- 0.75", "- 0.70", "Did you subtract a mean"),
        ("(x**2).mean", "(x**2).meen", "does not pass test-rms: .*meen"),
    ],
)
def test_a_master_whose_solution_fails_is_not_released(own: Course, right: str, wrong: str, said: str) -> None:
    import re

    path = own.masters / "rms.md"
    path.write_text(path.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    done = CliRunner().invoke(main, ["release", "rms", "--course", str(own.root)])
    assert done.exit_code != 0 and re.search(said, done.output), done.output
    assert "rms.md itself does not pass test-rms" in done.output and "nothing was released" in done.output
    assert not own.notebook("release", "rms").exists()
