"""Packed autograders, run in folders laid out as the platforms document them, give the marks of `bncourse grade`."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.authoring.sample_class import load_sample_class, submission
from bncourse.grading.core.records import SubmissionRecord, Verdict
from bncourse.grading.reports.platform_results import how_it_ran, prairielearn_results
from bncourse.grading.workflows.pack import pack, requirements

STUDENTS = ("dora", "sven", "rosa", "tove", "mika")
READS = """
def batch_norm_backward(dy, cache):
    import os
    said = [str(os.getuid())]
    for path, how in ((MASTER, "r"), (PACKAGE, "r"), (RESULTS, "w")):
        try:
            open(path, how).close()
            said.append("OPENED")
        except OSError as error:
            said.append(type(error).__name__)
    try:
        import bncourse.numpy_bn
        said.append("IMPORTED")
    except ImportError as error:
        said.append(type(error).__name__)
    raise ValueError(" ".join(said))
"""


def handed_in(course: Course, name: str) -> tuple[bytes, float]:
    """A sample student's file, and the points that it deserves."""
    sample, master = load_sample_class(course, "backward"), course.master("backward")
    student = next(each for each in sample.students if each.id == name)
    released = json.loads(course.notebook("release", "backward").read_bytes())
    return submission(student, master, released, sample.written, 1), student.deserves(master)


def unpacked(course: Course, base: Path) -> Path:
    with zipfile.ZipFile(pack(course, "backward", "gradescope", base / "autograder.zip")) as archive:
        archive.extractall(base / "source")
        assert archive.getinfo("run_autograder").external_attr >> 16 == 0o755
    (base / "submission").mkdir()
    (base / "submission_metadata.json").write_text('{"users": [{"email": "a@x.edu"}], "previous_submissions": []}')
    return base


def run(script: Path, variable: str, base: Path, *before: str, level: str = "") -> subprocess.CompletedProcess[str]:
    """Run a pack's script as the platform does, and without a network where this machine can take it away."""
    environment = {"PATH": os.environ["PATH"], variable: str(base), "BNCOURSE_PYTHON": sys.executable}
    environment |= {"BNCOURSE_LEVEL": level} if level else {}
    command = [*before, "bash", str(script)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def results(base: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((base / "results" / "results.json").read_text())
    return found


@pytest.mark.sandbox
def test_gradescope_gives_the_marks_of_the_class_and_nothing_hidden(
    released_course: Course, sandbox: None, tmp_path: Path
) -> None:
    base = unpacked(released_course, tmp_path / "autograder")
    master = released_course.master("backward")
    regions = (cell.source.split("### BEGIN HIDDEN TESTS")[1:] for cell in master.cells if cell.kind == "test")
    hidden = {line.strip() for region in regions for part in region for line in part.splitlines()}
    assert hidden
    for name in STUDENTS:
        content, deserved = handed_in(released_course, name)
        (base / "submission" / "my work.ipynb").write_bytes(content)
        done = run(base / "source" / "run_autograder", "AUTOGRADER_ROOT", base)
        assert done.returncode == 0, done.stderr
        found = results(base)
        assert found["score"] == deserved == sum(test["score"] for test in found["tests"]), name
        assert {test["visibility"] for test in found["tests"]} <= {"visible"} and found["execution_time"] < 10
        assert "Sandbox level full" in found["output"]
        text = json.dumps(found)
        assert not [line for line in hidden if len(line) > 20 and line in text]


@pytest.mark.sandbox
def test_prairielearn_gives_the_same_marks_as_a_share(released_course: Course, sandbox: None, tmp_path: Path) -> None:
    question = pack(released_course, "backward", "prairielearn", tmp_path / "questions" / "backward")
    info = json.loads((question / "info.json").read_text())
    assert info["gradingMethod"] == "External" and info["externalGradingOptions"]["entrypoint"].endswith("run.sh")
    assert info["externalGradingOptions"]["enableNetworking"] is False
    base = tmp_path / "grade"
    shutil.copytree(question / "tests", base / "tests")
    (base / "student").mkdir()
    content, deserved = handed_in(released_course, "dora")
    (base / "student" / "backward.ipynb").write_bytes(content)
    done = run(base / "tests" / "run.sh", "GRADE_ROOT", base)
    assert done.returncode == 0, done.stderr
    found = results(base)
    assert found["gradable"] and found["score"] == pytest.approx(deserved / 33, abs=1e-12)
    assert sum(test["points"] for test in found["tests"]) == deserved


@pytest.mark.sandbox
def test_where_no_namespace_is_allowed_another_user_runs_the_code_and_cannot_read_the_master(
    released_course: Course, sandbox: None, tmp_path: Path
) -> None:
    base = unpacked(released_course, tmp_path / "autograder")
    for folder in (base, *base.parents):
        if folder.stat().st_uid == os.getuid() and str(folder).startswith(str(tmp_path.parents[1])):
            folder.chmod(folder.stat().st_mode | 0o055)
    content, deserved = handed_in(released_course, "dora")
    spy = json.loads(content)
    places = {"MASTER": "source/master.json", "PACKAGE": "source/bncourse/__init__.py", "RESULTS": "results/x"}
    source = READS
    for name, place in places.items():
        source = source.replace(name, repr(str(base / place)))
    next(cell for cell in spy["cells"] if cell["id"] == "closed")["source"] = source
    script = base / "source" / "run_autograder"
    (base / "submission" / "backward.ipynb").write_bytes(content)
    if os.geteuid() != 0:  # who is not root cannot become another user, and says so
        done = run(script, "AUTOGRADER_ROOT", base, level="user")
        assert done.returncode == 1 and "must be root" in done.stderr
        assert "autograder itself failed" in results(base)["output"]
        return
    done = run(script, "AUTOGRADER_ROOT", base, *readable_python(), level="user")
    assert done.returncode == 0, done.stderr
    assert results(base)["score"] == deserved and "Sandbox level user" in results(base)["output"]
    (base / "submission" / "backward.ipynb").write_text(json.dumps(spy))
    run(script, "AUTOGRADER_ROOT", base, *readable_python(), level="user")
    said = results(base)["output"]
    assert "PermissionError PermissionError PermissionError ModuleNotFoundError" in said
    assert "OPENED" not in said and "ValueError: 0 " not in said


def readable_python() -> list[str]:
    """What to put before a command so that every user can run this interpreter, as in a platform's image."""
    home = Path(os.path.realpath(sys.executable)).parents[1]
    closed = [folder for folder in home.parents if not folder.stat().st_mode & 0o001]
    if not closed:
        return []
    hide = [word for folder in closed[-1:] for word in ("--tmpfs", str(folder))]
    return ["bwrap", "--dev-bind", "/", "/", *hide, "--ro-bind", str(home), str(home), "--cap-add", "ALL"]


def test_github_gets_the_visible_tests_for_students_and_the_hidden_ones_for_the_instructor(
    released_course: Course, tmp_path: Path
) -> None:
    address = "https://x.edu/bncourse-1-py3-none-any.whl"
    folder = pack(released_course, "backward", "github", tmp_path / "github", address)
    students = yaml.safe_load((folder / "template/.github/workflows/classroom.yml").read_text())
    steps = students["jobs"]["run-autograding-tests"]["steps"]
    assert steps[1]["with"]["command"] == "bncourse check backward.ipynb" and steps[1]["with"]["max-score"] == 33
    assert steps[1]["with"]["setup-command"] == f'pip install "bncourse[cli] @ {address}"'
    assert steps[2]["with"]["runners"] == steps[1]["id"]
    released = json.loads(released_course.notebook("release", "backward").read_bytes())
    assert json.loads((folder / "template/backward.ipynb").read_text()) == {
        **released,
        "cells": [{**cell, "source": "".join(cell["source"])} for cell in released["cells"]],
    }
    secret = "".join(path.read_text() for path in (folder / "template").rglob("*") if path.is_file())
    assert "BEGIN HIDDEN" not in secret and "BEGIN SOLUTION" not in secret
    job = yaml.safe_load((folder / "instructor/.github/workflows/grade-backward.yml").read_text())["jobs"]["grade"]
    typed = [step["run"] for step in job["steps"] if step.get("run", "").startswith("bncourse")]
    assert [line.split()[1] for line in typed] == ["collect", "grade", "export", "feedback"]
    with pytest.raises(CourseError, match="--install"):
        pack(released_course, "backward", "github", tmp_path / "other")


def test_a_pack_replaces_a_pack_and_nothing_else(released_course: Course, tmp_path: Path) -> None:
    where = tmp_path / "q"
    pack(released_course, "backward", "prairielearn", where)
    before = {path: path.read_bytes() for path in where.rglob("*") if path.is_file()}
    pack(released_course, "backward", "prairielearn", where)
    assert before == {path: path.read_bytes() for path in where.rglob("*") if path.is_file()}
    assert not [path for path in before if path.suffix == ".md" or "course_files" in path.parts]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("mine")
    with pytest.raises(CourseError, match="no pack"):
        pack(released_course, "backward", "prairielearn", tmp_path / "mine")


def test_the_container_has_the_versions_that_grade_here(released_course: Course) -> None:
    lines = requirements(released_course.master("backward")).splitlines()
    assert all(line.count("==") == 1 for line in lines) and lines[0].startswith("numpy==")


def test_an_unreadable_file_is_no_grade_and_the_level_is_named(released_course: Course) -> None:
    master = released_course.master("backward")
    record = SubmissionRecord("s", "backward", "unreadable", (), reason="it is a PDF", level="user")
    found = prairielearn_results(record, master)
    assert not found["gradable"] and found["format_errors"] == ["it is a PDF"]
    assert "Sandbox level user" in found["output"] and "own user" not in how_it_ran(record)
    verdict = Verdict("test-closed-dx", "wrong", 1.0, 4.0, "said")
    half = prairielearn_results(SubmissionRecord("s", "backward", "wrong", (verdict,)), master)
    assert half["score"] == 1 / 33 and half["tests"][0]["output"] == "said"
