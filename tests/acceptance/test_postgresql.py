"""The gradebook on PostgreSQL works as on SQLite: a real server, reached by its socket, for one test run."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.records_table import kept_records
from bncourse.grading.workflows.grade import grade_class
from bncourse.grading.workflows.release import release
from tests.conftest import copied

pytestmark = [pytest.mark.sandbox, pytest.mark.long]


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; Debian keeps it off the PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that listens on a socket in a temporary folder, and its address."""
    folder = programs()
    if folder is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("POSTGRESQL IS MISSING, its gradebook was not tried: apt install postgresql")
    data = Path("/tmp") / f"bncourse-postgresql-{os.getpid()}"  # a socket's path must be short
    data.mkdir()
    user, prefix = pwd.getpwuid(os.getuid()).pw_name, []
    if os.getuid() == 0:  # the server refuses to run as root
        user = "postgres"
        shutil.chown(data, user)
        prefix = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]
    control = [*prefix, str(folder / "pg_ctl"), "-D", str(data / "data"), "-l", str(data / "log"), "-w"]
    options = f"-k {data} -c listen_addresses='' -c fsync=off"
    subprocess.run(
        [*prefix, str(folder / "initdb"), "-D", str(data / "data"), "-A", "trust", "-U", "bn", "-E", "UTF8"],
        check=True,
        capture_output=True,
        cwd=data,
    )
    subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd=data)
    try:
        yield f"postgresql+psycopg2://bn@/postgres?host={data}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=data)
        shutil.rmtree(data)


@pytest.fixture(scope="module")
def on_postgresql(server: str, graded_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = replace(copied(graded_course, tmp_path_factory.mktemp("postgresql")), db_url=server)
    (course.root / "gradebook.db").unlink()
    for student in course.students("backward"):
        if student not in ("boris", "dora", "mika", "sven", "tove"):
            shutil.rmtree(course.root / "submitted" / student)
    release(course, "backward")
    grade_class(course, "backward", grader=lambda: Grader(jobs=1))
    return course


def test_marks_are_those_of_sqlite(on_postgresql: Course, graded_course: Course) -> None:
    sqlite = (graded_course.root / "grades.csv").read_text().splitlines()
    assert (on_postgresql.root / "grades.csv").read_text().splitlines() == [
        line for line in sqlite if line.split(",")[0] in ("id", "boris", "dora", "mika", "sven", "tove")
    ]


def test_nothing_is_graded_twice(on_postgresql: Course) -> None:
    run = grade_class(on_postgresql, "backward", grader=lambda: pytest.fail("nothing had changed"))
    assert run.graded == 0


def test_nbgraders_own_autograde_writes_the_same(on_postgresql: Course) -> None:
    before = {name: kept.record for name, kept in kept_records(on_postgresql, "backward").items()}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "nbgrader"), "autograde", "backward", "--student", "dora", "--force"],
        cwd=on_postgresql.masters.parent,
        env={**os.environ, "BNCOURSE_DB": on_postgresql.db_url},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    after = kept_records(on_postgresql, "backward")["dora"].record
    assert after.verdicts[7].message == before["dora"].verdicts[7].message
    assert after.score == before["dora"].score
