"""A new course folder is complete: masters, dates, settings, and nbgrader's configuration that nbgrader follows."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import CourseError
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.workflows.new_course import Wishes, new_course

NAMES = {"backward", "beyond", "forward", "pytorch", "shift", "training"}


def test_a_new_course_has_all_assignments_with_its_own_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = Wishes("canvas", "America/New_York", "2028-02-01", {"beyond": "2028-06-01 12:00"})
    course = new_course(tmp_path / "2028", wishes)
    assert set(course.assignments) == NAMES == {path.stem for path in (course.masters.parent / "classes").iterdir()}
    due = {name: course.master(name).metadata["due"] for name in NAMES}
    assert min(due.values()) == "2028-02-02 04:59:00 UTC" and due["beyond"] == "2028-06-01 16:00:00 UTC"
    shipped = {name: date.fromisoformat(_shipped(name)[:10]) for name in NAMES}
    ours = {name: date.fromisoformat(course.settings.due[name][:10]) for name in NAMES - {"beyond"}}
    assert len({ours[name] - shipped[name] for name in ours}) == 1  # all moved by as many days
    readme = (course.root / "README.md").read_text()
    assert "--format canvas --into gradebook.csv" in readme and len(readme.splitlines()) < 30
    below = course.root / "assignments" / "masters"
    monkeypatch.chdir(below)
    assert find_course() == course


def _shipped(name: str) -> str:
    from bncourse.grading.authoring.course_folder import shipped_assignments
    from bncourse.grading.authoring.masters import load_master

    return str(load_master(shipped_assignments() / "masters" / f"{name}.md").metadata["due"])


def test_nbgrader_takes_the_folder_for_its_own(tmp_path: Path) -> None:
    from traitlets.config.loader import PyFileConfigLoader

    course = new_course(tmp_path / "2028", Wishes())
    config = PyFileConfigLoader("nbgrader_config.py", str(course.root)).load_config()
    assert config.CourseDirectory.root == str(course.root)
    assert config.CourseDirectory.directory_structure == "{nbgrader_step}/{student_id}/{assignment_id}"
    assert config.CourseDirectory.db_url == f"sqlite:///{course.root}/gradebook.db"
    assert {path.parent.name for path in (course.root / "source").rglob("*.ipynb")} == NAMES


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--zone", "Mars"], "no time zone 'Mars'"),
        (["--first-due", "soon"], "--first-due is 'soon"),
        (["--due", "final=2028-01-01"], "no assignment 'final'"),
        (["--due", "backward"], "--due takes an assignment and a date"),
    ],
)
def test_a_wish_that_cannot_be_meant_leaves_nothing_behind(tmp_path: Path, options: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["new-course", str(tmp_path / "c"), *options])
    assert done.exit_code == 2 and said in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CourseError, match="there already"):
        new_course(tmp_path, Wishes())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_late_rule_of_the_course_counts_and_none_beside_it(tmp_path: Path) -> None:
    from bncourse.grading.gradebook.late_penalty import late_penalty

    course = new_course(tmp_path / "c", Wishes())
    assert late_penalty(course) is None
    settings = course.root / "course.toml"
    settings.write_text(settings.read_text() + "[late]\nper_day = 0.25\n")
    rule = late_penalty(find_course(course.root))
    assert rule is not None and rule("ada", 20.0, 90000.0) == 10.0
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    with pytest.raises(CourseError, match="Say it in one of them"):
        late_penalty(find_course(course.root))


@pytest.mark.long
@pytest.mark.slow
def test_an_example_is_graded_by_commands_typed_in_the_folder(tmp_path: Path, sandbox: None) -> None:
    def typed(*words: str, where: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=where, capture_output=True, text=True, timeout=250, env=os.environ | {"COLUMNS": "100"}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "21 invented students" in typed("bncourse", "new-course", "c", "--example", where=tmp_path)
    folder = tmp_path / "c"
    assert "21 graded now" in typed("bncourse", "grade", "backward", where=folder)
    typed("nbgrader", "autograde", "backward", "--student=ada", "--force", where=folder)
    assert "To upload" in typed("bncourse", "feedback", "backward", "--zip", "mail", where=folder)
