import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bncourse.cli import main
from bncourse.grading.authoring.course import Course


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def course_option(course: Course) -> list[str]:
    return ["--course", str(course.root)]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", [["bncourse"], [sys.executable, "-m", "bncourse"]])
def test_it_runs_as_an_installed_command_and_as_a_module(command: list[str]) -> None:
    if command[0] == "bncourse":
        command = [str(Path(sys.executable).parent / "bncourse")]
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    for name in ("release", "grade", "feedback", "export", "check", "doctor", "report", "regrade", "replay"):
        assert f"\n  {name} " in done.stdout


REFUSED: list[tuple[Sequence[str], str]] = [
    (("release", "nothing"), "There is no assignment 'nothing'"),
    (("grade", "nothing"), "There is no assignment 'nothing'"),
    (("grade", "../backward"), "There is no assignment"),
    (("grade", "backward"), "Nobody has handed in backward"),
    (("feedback", "backward"), "Type first: bncourse grade backward"),
    (("export", "backward"), "Type first: bncourse grade backward"),
    (("report", "backward"), "Type first: bncourse grade backward"),
    (("regrade", "backward", "--dry-run"), "Type first: bncourse grade backward"),
    (("replay", "ann", "backward"), "'ann' has no graded submission"),
    (("sample-class", "nothing"), "There is no sample class for 'nothing'"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_bad_input_gets_one_line_and_exit_code_2_and_changes_nothing(
    released_course: Course, arguments: Sequence[str], said: str
) -> None:
    before = everything(released_course.root)
    result = run(*arguments, *course_option(released_course))
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1 and "Traceback" not in result.output
    assert everything(released_course.root) == before


def test_a_file_where_a_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    result = run("grade", "backward", "--course", str(tmp_path / "file"))
    assert result.exit_code == 2 and "not a folder" in result.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_a_second_release_leaves_everything_as_it_is(released_course: Course) -> None:
    before = everything(released_course.root)
    result = run("release", "backward", *course_option(released_course))
    assert result.exit_code == 0, result.output
    assert str(released_course.notebook("release", "backward")) in result.output.replace("\n", "")
    assert everything(released_course.root) == before


@pytest.mark.sandbox
def test_grade_ends_with_marks_and_with_what_needs_a_look(graded_course: Course) -> None:
    result = run("grade", "backward", *course_option(graded_course))
    assert result.exit_code == 0, result.output
    assert "backward: 21 submissions" in result.output
    assert "5 need a look" in result.output
    assert "0 graded now, 21 unchanged" in result.output


@pytest.mark.sandbox
def test_a_verdict_can_be_replayed(graded_course: Course) -> None:
    before = everything(graded_course.root)
    result = run("replay", "dora", "backward", *course_option(graded_course))
    assert result.exit_code == 0, result.output
    assert "The verdicts are the same as in the gradebook." in result.output
    assert "seed: 0" in result.output and "level: full" in result.output
    assert everything(graded_course.root) == before


@pytest.mark.sandbox
def test_a_replay_of_another_file_says_what_differs(graded: Course) -> None:
    shutil.copy(graded.notebook("submitted", "backward", "ada"), graded.notebook("submitted", "backward", "dora"))
    result = run("replay", "dora", "backward", *course_option(graded))
    assert result.exit_code == 1
    assert "test-closed-dx: wrong, 0 points" in result.output.replace("\n", " ")


@pytest.mark.sandbox
def test_reports_and_exports_say_where_they_lie(graded: Course) -> None:
    for arguments in (["report", "backward"], ["export", "backward", "--format", "canvas"]):
        result = run(*arguments, *course_option(graded))
        assert result.exit_code == 0, result.output
        assert Path(result.stdout.split(": ", 1)[1].strip()).is_file()
    assert "scores are not complete: answers still wait to be marked" in result.stderr
    refused = run("export", "backward", "--complete", *course_option(graded))
    assert refused.exit_code == 2 and "Nothing was written" in refused.output


def test_more_time_is_given_until_a_date_before_anything_is_handed_in(course: Course) -> None:
    run("roster", "add", "ada", *course_option(course))
    result = run("extend", "ada", "backward", "2027-02-15", *course_option(course))
    assert result.output == "ada: backward until 2027-02-15 23:59 UTC; loses nothing for being late.\n"
    result = run("extend", "ada", "backward", "--none", *course_option(course))
    assert result.output == "ada: backward until the due date of everybody; loses nothing for being late.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ada", "backward"], "until when"),
        (["ada", "backward", "2027-02-15", "--none"], "until when"),
        (["ada", "backward", "2027-13-01"], "Expected a date such as"),
        (["ada", "backward", "2027-02-01"], "not later than the due date, 2027-02-12 23:59 UTC"),
        (["nobody", "backward", "2027-02-15"], "no student 'nobody'"),
        (["backward", "ada", "2027-02-15"], "no assignment 'ada'"),
    ],
)
def test_more_time_that_cannot_be_meant_is_refused(course: Course, words: list[str], said: str) -> None:
    run("roster", "add", "ada", *course_option(course))
    result = run("extend", *words, *course_option(course))
    assert result.exit_code == 2 and said in result.output


@pytest.mark.sandbox
def test_a_dry_run_of_a_regrade_says_that_nothing_was_written(graded_course: Course) -> None:
    result = run("regrade", "backward", "--dry-run", *course_option(graded_course))
    assert result.exit_code == 0, result.output
    assert "0 of 21 students' marks would change. Nothing was written." in result.output
