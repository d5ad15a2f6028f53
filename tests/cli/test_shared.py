"""What an instructor can get wrong, or find broken: one line with the cause and the way out, and nothing lost."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course, write
from tests.cli.test_cli import course_option, everything, run

AWAY = "postgresql+psycopg2://ann:secret@127.0.0.1:1/course"
COMMANDS = ("grade", "regrade", "report", "export", "feedback")


@pytest.fixture
def handed_in(course: Course) -> Course:
    write(course.notebook("submitted", "backward", "ann"), b"{}")
    return course


@contextmanager
def locked(course: Course) -> Iterator[None]:
    with closing(sqlite3.connect(course.root / "gradebook.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def refused(course: Course, *arguments: str) -> str:
    """The one line of a command that is refused and changes nothing."""
    before = everything(course.root)
    result = run(*arguments, *course_option(course))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 and "Traceback" not in result.output
    assert everything(course.root) == before
    return result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_is_no_course_is_refused_and_stays_empty(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "elsewhere"
    result = run(command, "backward", "--course", str(folder))
    assert result.exit_code == 2 and "There is no gradebook" in result.stderr
    assert "bncourse release backward" in result.stderr
    assert not folder.exists()


@pytest.mark.parametrize("command", [*COMMANDS, "release"])
def test_a_database_server_that_is_away_is_named_without_the_password(handed_in: Course, command: str) -> None:
    said = refused(handed_in, command, "backward", "--db", AWAY)
    assert "ann:***@127.0.0.1:1" in said and "Is the server running" in said and "secret" not in said


@pytest.mark.parametrize("address", ["nonsense", "postgresql://ann:secret/course:x"])
@pytest.mark.parametrize("command", ["grade", "release"])
def test_an_address_that_is_none_is_refused(handed_in: Course, command: str, address: str) -> None:
    said = refused(handed_in, command, "backward", "--db", address)
    assert "no address as SQLAlchemy writes it" in said and "secret" not in said


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("grade", "backward"), ("regrade", "backward")])
def test_a_locked_gradebook_is_refused_before_anything_is_graded(handed_in: Course, arguments: tuple[str, ...]) -> None:
    with locked(handed_in):
        result = run(*arguments, *course_option(handed_in))
    assert result.exit_code == 2 and "locked. Another program writes it" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (handed_in.root / "autograded").exists()


def test_a_gradebook_that_is_none_is_refused(handed_in: Course) -> None:
    (handed_in.root / "gradebook.db").write_text("mine" * 1000)
    for command in ("grade", "release", "report"):
        assert "not a database" in refused(handed_in, command, "backward")


def test_a_scheduler_address_that_is_none_is_refused_at_once(handed_in: Course) -> None:
    said = refused(handed_in, "grade", "backward", "--scheduler", "hello world")
    assert "No Dask scheduler answers at 'hello world'" in said and "tcp://" in said


@pytest.mark.parametrize(
    "text", ["# LatePolicy\nc = (", "c = get_config()\nc.AssignLatePenalties.plugin_class = 'no.such'\n"]
)
def test_a_configuration_that_cannot_be_used_is_refused(handed_in: Course, text: str) -> None:
    masters = handed_in.root / "assignments" / "masters"
    for master in handed_in.masters.glob("*.md"):
        write(masters / master.name, master.read_bytes())
    write(masters.parent / "nbgrader_config.py", text.encode())
    assert "nbgrader_config.py cannot be used" in refused(handed_in, "grade", "backward")


def test_a_place_that_cannot_be_written_is_named(handed_in: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/a/report.html")

    monkeypatch.setattr("bncourse.grading.reports.report.write_report", full)
    said = refused(handed_in, "report", "backward")
    assert "/a/report.html: No space left on device" in said and "name another place" in said
