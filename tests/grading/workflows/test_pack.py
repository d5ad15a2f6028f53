"""Packed autograders, run in folders laid out as the platforms document them, give the marks of `bncourse grade`."""

import json
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.sample_class import load_sample_class, submission
from bncourse.grading.core.records import SubmissionRecord, Verdict
from bncourse.grading.gradebook.records_table import records_of
from bncourse.grading.reports.platform_results import how_it_ran, prairielearn_results
from bncourse.grading.sandbox.inside import landlock
from bncourse.grading.workflows import one_submission
from bncourse.grading.workflows.pack import pack, requirements
from tests.grading.containers import container

READS = """
def batch_norm_backward(dy, cache):
    import os, signal
    said = [str(os.getuid())]
    for path, how in PLACES:
        try:
            open(path, how).close()
            said.append("OPENED " + path)
        except OSError as error:
            said.append(type(error).__name__)
    try:
        import bncourse.numpy_bn
        said.append("IMPORTED")
    except ImportError as error:
        said.append(type(error).__name__)
    for process in range(1, 60):
        try:
            if process != os.getpid():
                os.kill(process, signal.SIGKILL)
                said.append("KILLED")
        except OSError:
            pass
    raise ValueError(" ".join(said))
"""
PLACES = {"gradescope": "/autograder", "prairielearn": "/grade"}
CONTAINERS = {
    "full": {"root": False, "namespaces": True},
    "user": {"root": True, "namespaces": False},
    "process": {"root": False, "namespaces": False},
}
"""What a container allows, by the level that it comes to."""
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
LEVELS = [pytest.param("full", marks=pytest.mark.long), "process", pytest.param("user", marks=ROOT)]
RUNS = [
    pytest.param("gradescope", "full", marks=pytest.mark.long),
    pytest.param("gradescope", "user", marks=ROOT),
    pytest.param("gradescope", "process", marks=pytest.mark.long),
    pytest.param("prairielearn", "full", marks=pytest.mark.long),
    pytest.param("prairielearn", "user", marks=[ROOT, pytest.mark.long]),
    ("prairielearn", "process"),
]


def handed_in(course: Course, name: str) -> tuple[bytes, float]:
    """A sample student's file, and the points that it deserves."""
    sample, master = load_sample_class(course, "backward"), course.master("backward")
    student = next(each for each in sample.students if each.id == name)
    released = json.loads(course.notebook("release", "backward").read_bytes())
    return submission(student, master, released, sample.written, 1), student.deserves(master)


def unpacked(course: Course, platform: str, folder: Path) -> Path:
    """A pack where the platform puts it, below the folder that stands for the root of its own."""
    base = folder / "base"
    if platform == "gradescope":
        with zipfile.ZipFile(pack(course, "backward", "gradescope", folder / "autograder.zip")) as archive:
            archive.extractall(base / "source")
            assert archive.getinfo("run_autograder").external_attr >> 16 == 0o755
        (base / "submission_metadata.json").write_text('{"users": [{"email": "a@x.edu"}]}')
    else:
        shutil.copytree(pack(course, "backward", "prairielearn", folder / "question") / "tests", base / "tests")
    (base / ("submission" if platform == "gradescope" else "student")).mkdir()
    base.chmod(0o755)
    return base


def graded(platform: str, level: str, base: Path, content: bytes) -> dict[str, Any]:
    """What a platform's container writes of a notebook; it has no network, and allows what the level says."""
    student = base / ("submission" if platform == "gradescope" else "student")
    (student / ("my work.ipynb" if platform == "gradescope" else "backward.ipynb")).write_bytes(content)
    place = PLACES[platform]
    script = f"{place}/source/run_autograder" if platform == "gradescope" else f"{place}/tests/run.sh"
    command = [*container(base, place, **CONTAINERS[level]), "bash", script]
    environment = {"PATH": os.environ["PATH"], "BNCOURSE_PYTHON": sys.executable}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((base / "results" / "results.json").read_text())
    return found


def lines_hidden(course: Course) -> set[str]:
    """The lines of the hidden tests that are long enough to tell something."""
    cells = course.master("backward").cells
    regions = (cell.source.split("### BEGIN HIDDEN TESTS")[1:] for cell in cells if cell.kind == "test")
    return {line.strip() for region in regions for part in region for line in part.splitlines() if len(line) > 20}


@pytest.mark.sandbox
@pytest.mark.parametrize(("platform", "level"), RUNS)
def test_a_packed_autograder_gives_the_points_of_the_class_at_each_level_and_names_it(
    released_course: Course, sandbox: None, tmp_path: Path, platform: str, level: str
) -> None:
    content, deserved = handed_in(released_course, "dora")
    found = graded(platform, level, unpacked(released_course, platform, tmp_path), content)
    points = [test["score" if platform == "gradescope" else "points"] for test in found["tests"]]
    assert sum(points) == deserved == 29.0
    assert found["score"] == pytest.approx(deserved if platform == "gradescope" else deserved / 33, abs=1e-12)
    assert f"Sandbox level {level}:" in found["output"]
    assert ("without" in found["output"]) == ("namespaces" in found["output"]) == (level != "full")
    text = json.dumps(found)
    assert not [line for line in lines_hidden(released_course) if line in text]
    if platform == "gradescope":
        assert {test["visibility"] for test in found["tests"]} == {"visible"}


@pytest.mark.sandbox
@pytest.mark.parametrize("level", LEVELS)
def test_at_no_level_can_the_code_read_the_master_or_the_reference_or_write_the_results(
    released_course: Course, sandbox: None, tmp_path: Path, level: str
) -> None:
    base = unpacked(released_course, "gradescope", tmp_path)
    spy = json.loads(handed_in(released_course, "dora")[0])
    source = "/autograder/source"
    places = [(f"{source}/master.json", "r"), (f"{source}/bncourse/__init__.py", "r"), ("/autograder/results/x", "w")]
    places += [("/proc/1/mem", "r"), ("/proc/self/environ", "r"), ("/etc/hostname", "r")]
    next(cell for cell in spy["cells"] if cell["id"] == "closed")["source"] = READS.replace("PLACES", repr(places))
    found = graded("gradescope", level, base, json.dumps(spy).encode())
    assert "ModuleNotFoundError" in found["output"], found["output"]
    assert not [word for word in ("OPENED", "IMPORTED", "KILLED", "ValueError: 0 ") if word in found["output"]]


WHOLE = [("gradescope", "full"), ("gradescope", "process"), pytest.param("gradescope", "user", marks=ROOT)]
WHOLE += [("prairielearn", "process"), pytest.param("prairielearn", "user", marks=ROOT)]


@pytest.mark.long
@pytest.mark.sandbox
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("platform", "level"), WHOLE)
def test_the_whole_sample_class_gets_the_same_points_on_a_platform_within_its_time(
    released_course: Course, graded_course: Course, tmp_path: Path, platform: str, level: str
) -> None:
    base, field = unpacked(released_course, platform, tmp_path), "score" if platform == "gradescope" else "points"
    for record in records_of(graded_course, "backward"):
        if record.status == "missing":
            continue
        content = graded_course.notebook("submitted", "backward", record.student).read_bytes()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = graded(platform, level, base, content)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if platform == "gradescope":
            assert found["score"] == record.score, record.student
        elif found["gradable"]:
            assert found["score"] == pytest.approx(record.score / 33, abs=1e-12), record.student
        assert [test[field] for test in found["tests"]] == [verdict.points for verdict in record.verdicts]
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 20  # two processors, ten seconds


def test_without_anything_that_keeps_the_tests_from_the_code_nothing_is_graded(
    released_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    (tmp_path / "master.json").write_text(released_course.master("backward").serialized)
    (tmp_path / "backward.ipynb").write_bytes(handed_in(released_course, "dora")[0])
    results = tmp_path / "results.json"
    arguments = ["gradescope", "--master", str(tmp_path / "master.json"), "--submission", str(tmp_path)]
    assert one_submission.main([*arguments, "--results", str(results), "--level", "process"]) == 1
    assert "autograder itself failed" in json.loads(results.read_text())["output"]


def test_prairielearn_is_told_how_to_start_it(released_course: Course, tmp_path: Path) -> None:
    question = pack(released_course, "backward", "prairielearn", tmp_path / "questions" / "backward")
    info = json.loads((question / "info.json").read_text())
    assert info["gradingMethod"] == "External" and info["externalGradingOptions"]["entrypoint"].endswith("run.sh")
    assert info["externalGradingOptions"]["enableNetworking"] is False


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


@pytest.mark.sandbox
@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_jobs_that_github_runs_give_the_points_of_the_class(sandbox: None, tmp_path: Path) -> None:
    """The lines of both workflows are typed as they stand, in folders as GitHub's machines have them."""
    root = tmp_path / "bn-2027"
    for line in (
        "new-course bn-2027 --platform github --zone UTC --first-due 2027-01-25",
        "release backward",
        "sample-class backward",
    ):
        done = typed(f"bncourse {line}", root if root.exists() else tmp_path)
        assert done.returncode == 0, done.stderr
    course = find_course(root)
    packed = pack(course, "backward", "github", tmp_path / "github", "https://x.edu/bncourse-1-py3-none-any.whl")
    shutil.copytree(packed / "instructor", root, dirs_exist_ok=True)
    students = yaml.safe_load((packed / "template/.github/workflows/classroom.yml").read_text())
    command = students["jobs"]["run-autograding-tests"]["steps"][1]["with"]["command"]
    expected = {}
    for student in load_sample_class(course, "backward").students:
        repository = root / "class" / "backward-submissions" / f"backward-{student.id}"
        shutil.copytree(packed / "template", repository)
        handed_in = course.notebook("submitted", "backward", student.id)
        if handed_in.is_file() and not student.cut_off:  # a file that is broken off is not taken
            shutil.copy(handed_in, repository / "backward.ipynb")
            expected[student.id] = (student.status, student.deserves(course.master("backward")))
        if student.id in ("ada", "dora"):
            assert typed(command, repository).returncode == {"ada": 0, "dora": 1}[student.id]
    shutil.rmtree(root / "submitted")
    job = yaml.safe_load((root / ".github/workflows/grade-backward.yml").read_text())["jobs"]["grade"]
    for step in job["steps"]:
        if step.get("run", "").startswith("bncourse"):
            done = typed(step["run"], root)
            assert done.returncode == 0, done.stdout + done.stderr
    found = {each.student: (each.status, each.score) for each in records_of(course, "backward")}
    assert {who: found[who] for who in expected} == expected
    kept = [root / line for line in job["steps"][-1]["with"]["path"].split()]
    assert kept[0].is_file() and {"questions.csv", "feedback-mail.zip"} <= {path.name for path in kept[1].iterdir()}


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line of a workflow, by the shell that GitHub's machines take."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    return subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False)


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
