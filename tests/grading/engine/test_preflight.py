"""Where nothing can be graded, the run is refused with one line before a student is graded, and nothing has changed."""

import dataclasses
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bncourse.cli import main
from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.sample_class import write_sample_class
from bncourse.grading.core.records import Master
from bncourse.grading.engine.grader import Grader
from bncourse.grading.engine.worker_pool import StartError
from bncourse.grading.sandbox import bubblewrap
from bncourse.grading.workflows.release import release
from tests.grading.small import MASTER, RIGHT, hand_in

pytestmark = pytest.mark.sandbox

WITHOUT_TORCH = """\
import sys
class Without:
    def find_spec(self, name, *_):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, Without())
"""


def with_test(name: str, source: str) -> Master:
    """The small assignment with another text of a test cell."""
    cells = (dataclasses.replace(c, source=source) if c.grade_id == name else c for c in MASTER.cells)
    return dataclasses.replace(MASTER, cells=tuple(cells))


def plant(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have the trusted process run a piece of code before anything else."""
    (folder / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def everything(course: Course) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in course.root.rglob("*") if path.is_file()}


def typed(course: Course, *options: str) -> Result:
    places = ["--course", str(course.root), "--masters", str(course.masters)]
    return CliRunner().invoke(main, ["grade", "backward", *places, *options])


def refused(done: Result) -> str:
    """The one line of a refusal."""
    assert done.exit_code == 2, done.output
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("bncourse: ")
    return line


@pytest.fixture
def two(course: Course, sandbox: None) -> Course:
    """A class of the sample students, of whom nobody is graded."""
    write_sample_class(course, "backward")
    return course


def test_a_broken_import_of_a_test_cell_is_named(two: Course) -> None:
    path = two.masters / "backward.md"
    text = path.read_text()
    assert "from bncourse.diagnosis.checks import check_backward" in text
    path.write_text(text.replace("import check_backward", "import check_backwards", 1))
    release(two, "backward")
    before = everything(two)
    line = refused(typed(two))
    assert "cannot import name 'check_backwards'" in line and "Correct that import in the master" in line
    assert everything(two) == before


@pytest.mark.parametrize(
    ("planted", "cause", "way_out"),
    [
        ("import sys; sys.modules['bncourse.diagnosis.checks'] = None", "bncourse.diagnosis.checks", "pip install"),
        ("raise SystemExit('no memory for the oracle')", "no memory for the oracle", "pip install"),
    ],
    ids=["the reference package", "the process"],
)
def test_a_trusted_process_that_does_not_start_is_one_line(
    two: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str, cause: str, way_out: str
) -> None:
    before = everything(two)
    plant(tmp_path, monkeypatch, planted)
    line = refused(typed(two))
    assert cause in line and way_out in line
    assert everything(two) == before


def test_a_missing_library_is_named_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, monkeypatch, WITHOUT_TORCH)
    master = with_test("test-scale", "import torch\nassert standardize(np.array([1.0, 3.0])).shape == (2,)")
    with Grader(jobs=1) as grader, pytest.raises(StartError, match=r"torch.*pip install 'bncourse\[torch\]'"):
        grader.prepare(master)


def test_a_library_that_the_answers_need_is_named(sandbox: None) -> None:
    cells = (
        dataclasses.replace(c, source="import numpy as np\nimport nowhere") if c.grade_id == "setup" else c
        for c in MASTER.cells
    )
    master = dataclasses.replace(MASTER, cells=tuple(cells), imports=("numpy", "nowhere"))
    broken = with_test("test-number", "assert nowhere")
    master = dataclasses.replace(master, cells=(*master.cells[:-2], broken.cells[-2], broken.cells[-1]))
    with Grader(jobs=1) as grader, pytest.raises(StartError, match=r"No module named 'nowhere'.*pip install nowhere"):
        grader.prepare(master)


def test_a_warm_process_that_does_not_start_says_its_last_words(sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bncourse.grading.sandbox.bubblewrap.bwrap_command", lambda _: ["sh", "-c", "echo no room >&2; exit 3"]
    )
    with Grader(jobs=1) as grader, pytest.raises(StartError, match=r"did not start: no room\. `bncourse doctor`"):
        grader.prepare(MASTER)


def test_a_solution_that_passes_no_test_stops_the_run(sandbox: None) -> None:
    cells = (
        dataclasses.replace(c, source="raise ValueError('never')") if c.kind == "test" else c for c in MASTER.cells
    )
    with Grader(jobs=1) as grader, pytest.raises(StartError, match=r"none of its tests.*test-forward"):
        grader.prepare(dataclasses.replace(MASTER, cells=tuple(cells)))


def test_one_test_that_the_solution_does_not_pass_is_left_to_a_person(sandbox: None) -> None:
    with Grader(jobs=1) as grader:
        master = with_test("test-number", "assert values_per_channel == 201")
        grader.prepare(master)
        record = grader.grade(master, "x", hand_in(RIGHT))
    assert (record.status, record.score) == ("needs review", 11.0)
    doubted = [verdict.grade_id for verdict in record.verdicts if verdict.outcome == "needs review"]
    assert doubted == ["test-number"]


def test_the_sandbox_is_looked_at_first(two: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    report = bubblewrap.Report((("bubblewrap", False, "install it"), ("namespaces", False, "x"), ("filter", True, "")))
    monkeypatch.setattr(bubblewrap, "probe", lambda: report)
    before = everything(two)
    assert "bubblewrap is missing: install it" in refused(typed(two))
    assert everything(two) == before
