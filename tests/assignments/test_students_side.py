"""What a student sees without an instructor: the same verdicts everywhere, and a line for what is missing."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from bncourse.diagnosis.report import STILL_MISSING
from bncourse.grading.authoring.installation import source_for
from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.authoring.sample_class import SampleStudent, submission
from bncourse.grading.core.install import command
from bncourse.grading.core.names import bound_names, loaded_names
from bncourse.grading.core.records import Verdict
from bncourse.grading.core.regions import released_source
from bncourse.grading.core.render import as_bytes, release_notebook
from bncourse.grading.student.selfcheck import run_checks
from tests.assignments.whole_class import MASTERS, class_of

ASSIGNMENTS = list_masters(MASTERS)
EXTRAS = ("torch", "sklearn", "matplotlib", "pooch", "IPython", "nbgrader", "nbformat", "jupytext", "sqlalchemy")
SHOWN_ONLY = ("curves", "rates-run", "sizes-run", "report", "mended")
"""Given cells of `training` that take a second, and on which no test depends."""


KINDS: dict[str, Callable[[SampleStudent], bool]] = {
    "right": lambda student: student.status == "correct",
    "wrong": lambda student: student.id == "nora",
    "unfinished": lambda student: bool(student.unfinished),
}


def handed_in(assignment: str, kind: str) -> dict[str, Any]:
    """What the first student of this kind in the class hands in."""
    master = load_master(MASTERS / f"{assignment}.md")
    sample = class_of(assignment)
    student = next(filter(KINDS[kind], sample.students))
    made: dict[str, Any] = json.loads(submission(student, master, release_notebook(master), sample.written, 1))
    if assignment == "training":
        made["cells"] = [cell for cell in made["cells"] if cell["id"] not in SHOWN_ONLY]
    return made


def in_jupyter(notebook: dict[str, Any]) -> dict[str, BaseException | None]:
    """What each test cell raises when the notebook is run cell by cell, as Jupyter's kernel does."""
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.showtraceback = lambda *_, **__: None  # which takes 40 ms, and nobody reads it here
    raised = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            result = shell.run_cell(cell["source"], silent=True)
            if cell["id"].startswith("test-"):
                raised[cell["id"]] = result.error_in_exec
    return raised


def agrees(verdict: Verdict, raised: BaseException | None) -> bool:
    if raised is None or verdict.outcome == "correct":
        return raised is None and verdict.outcome == "correct"
    missing = isinstance(raised, NotImplementedError | NameError) or isinstance(raised.__cause__, NotImplementedError)
    return verdict.outcome == "not attempted" if missing else str(raised) in verdict.message


@pytest.mark.parametrize("what", ["released", *KINDS])
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_check_says_what_the_notebook_says(
    assignment: str, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    released = release_notebook(load_master(MASTERS / f"{assignment}.md"))
    notebook = released if what == "released" else handed_in(assignment, what)
    verdicts = {verdict.grade_id: verdict for verdict in run_checks(notebook)}
    raised = in_jupyter(notebook)
    assert verdicts.keys() == raised.keys()
    assert {name: raised[name] for name in raised if not agrees(verdicts[name], raised[name])} == {}
    passed = [name for name, error in raised.items() if error is None]
    assert (passed == []) == (what == "released") and (len(passed) == len(raised)) == (what == "right")


FORWARD = "def forward(x, gamma, beta, *, eps=1e-5):\n    {}\n"
SAID_BY_A_CHECK = {
    "raise NotImplementedError()": ["Your code is still missing."],
    "return gamma * (x - x.mean(0)) / (x.std(0) + eps) + beta, None": [
        "Your code believes that eps is added to the standard deviation.",
        "With gamma = 1 the variance of each feature of y must be var / (var + eps), neither smaller nor larger.",
        'Read on: chapter "The transform" (book/transform/transform)',
    ],
    "return gamma * (x - x.men(0))": [
        "Your function raised AttributeError: 'numpy.ndarray' object has no attribute 'men'",
        "It was raised here:",
        "    return gamma * (x - x.men(0))",
    ],
}


@pytest.mark.parametrize("body", SAID_BY_A_CHECK)
def test_a_notebook_shows_what_a_check_says_and_not_the_way_through_our_code(
    body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_cell(FORWARD.format(body))
    shell.run_cell("from bncourse.diagnosis.checks import check_forward\ncheck_forward(forward)")
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in SAID_BY_A_CHECK[body] if line not in lines] == []
    assert "bncourse/diagnosis" not in "".join(lines) and "Traceback" not in "".join(lines)
    assert len(lines) <= len(SAID_BY_A_CHECK[body]) + 6


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_test_of_an_unwritten_answer_shows_one_line(
    assignment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shown = {}
    for cell in release_notebook(load_master(MASTERS / f"{assignment}.md"))["cells"]:
        if cell["cell_type"] == "code":
            error = shell.run_cell(cell["source"]).error_in_exec
            said = capsys.readouterr().out.splitlines()
            if isinstance(error, NotImplementedError) or isinstance(
                getattr(error, "__cause__", None), NotImplementedError
            ):
                shown[cell["id"]] = said
    InteractiveShell.clear_instance()
    master = load_master(MASTERS / f"{assignment}.md")
    to_write = "\n".join(cell.source for cell in master.cells if cell.kind == "answer")
    named = set(re.findall(r"Look at (\w+)\.", "\n".join(said[-1] for said in shown.values())))
    assert {name for name in named if f"def {name}(" not in to_write} == set()
    first = shown.pop("prediction-1")  # it stands above the first test, where this is arranged
    assert len(first) < 12
    assert len(shown) >= 12
    assert [name for name, said in shown.items() if not said[-1].startswith(STILL_MISSING)] == []
    assert [name for name, said in shown.items() if "Traceback" in "".join(said)] == []
    assert {len(said) for name, said in shown.items() if name.startswith("test-")} == {1}


def test_the_visible_tests_of_the_broken_script_do_not_say_which_functions_are_wrong() -> None:
    master = load_master(MASTERS / "training.md")
    wrong = bound_names(ast.parse(next(cell.source for cell in master.cells if cell.grade_id == "mend")))
    given = [cell.source for cell in master.cells if cell.grade_id.startswith("script-") and cell.kind == "given"]
    script = bound_names(ast.parse("\n".join(given)))
    tests = {c.grade_id: released_source(c.source, "code") for c in master.cells if c.grade_id.startswith("test-mend")}
    tried = {name: loaded_names(ast.parse(source)) & script for name, source in tests.items()}
    assert wrong < script and len(tests) == len(wrong) == 4
    assert min(map(len, tried.values())) >= 2, "a test of one function alone names it"
    assert set().union(*tried.values()) >= {*wrong, "normalize", "sigmoid"}, "right ones are tried as well"
    said = [
        node.value
        for source in tests.values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant)
    ]
    words = {word for text in (*said, *tests) for word in re.findall(r"\w+", str(text))}
    assert words & (script | {"backward", "estimate"}) == set()


def without_extras(path: Path) -> subprocess.CompletedProcess[str]:
    """`bncourse check` where nothing is installed but NumPy, click and rich, in the processes that it starts either."""
    missing = path.parent / "missing"
    missing.mkdir()
    for name in EXTRAS:
        missing.joinpath(f"{name}.py").write_text(f"raise ModuleNotFoundError('No module named {name}', name={name!r})")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(missing), os.environ.get("PYTHONPATH")]))
    }
    command = [sys.executable, "-m", "bncourse", "check", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


@pytest.mark.parametrize("assignment", sorted(set(ASSIGNMENTS) - {"pytorch"}))
def test_an_assignment_needs_no_extra_but_the_command_line(assignment: str, tmp_path: Path) -> None:
    path = tmp_path / f"{assignment}.ipynb"
    path.write_bytes(as_bytes(handed_in(assignment, "right")))
    done = without_extras(path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_assignment_in_pytorch_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "pytorch.ipynb"
    path.write_bytes(as_bytes(handed_in("pytorch", "right")))
    done = without_extras(path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "bncourse: This assignment needs PyTorch. Use: pip install torch\n"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_notebook_says_what_to_install_and_how_to_check(assignment: str) -> None:
    master = load_master(MASTERS / f"{assignment}.md")
    said = next(cell.source for cell in master.cells if cell.grade_id == "how-it-works")
    assert f"`bncourse check {assignment}.ipynb`" in said
    assert command(source_for(MASTERS), "cli,torch" if "torch" in master.imports else "cli") in said
    low, high = master.metadata["minutes"]  # type: ignore[misc]
    assert 60 <= low < high <= 150
    assert 2 <= high / master.metadata["points"] <= 3, "minutes for a point, as in the other assignments"  # type: ignore[operator]
    assert f"**Time.** {low} to {high} minutes (estimated)." in master.cells[0].source


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_task_asks_for_a_prediction_then_code_then_an_explanation(assignment: str) -> None:
    order, tasks = [], 0
    for cell in load_master(MASTERS / f"{assignment}.md").cells:
        if cell.source.startswith("## Task "):
            tasks += 1
            order.append("")
        elif cell.kind == "answer" and order:
            order[-1] += "p" if cell.grade_id.startswith("prediction-") else "c"
        elif cell.kind == "written" and order:
            order[-1] += "e"
    assert tasks >= 3
    assert [steps for steps in order if not (steps.startswith("pc") and "e" in steps)] == []


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_written_part_has_a_rubric_and_an_example_at_each_level(assignment: str) -> None:
    for cell in load_master(MASTERS / f"{assignment}.md").cells:
        if cell.kind == "written":
            rubric, examples = cell.source.split("**Rubric.**")[1].split("**Examples.**")
            levels = [float(points) for points in re.findall(r'^- ([\d.]+): ".+"$', examples, re.MULTILINE)]
            assert len(rubric) > 40 and len(levels) >= 3, cell.grade_id
            assert levels == sorted(levels, reverse=True) and levels[0] == cell.points and levels[-1] == 0, (
                cell.grade_id
            )
