"""The same class graded by a Dask cluster, one of whose processes dies in the middle."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bncourse.cli import main
from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.sample_class import write_sample_class
from bncourse.grading.engine.cluster import ClusterError, ClusterGrader
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.records_table import records_of
from bncourse.grading.workflows.grade import grade_class
from tests.conftest import copied

pytestmark = [pytest.mark.sandbox, pytest.mark.slow, pytest.mark.long]

STUDENTS = ("boris", "chen", "dora", "emil", "hana", "rosa")


@pytest.fixture
def small_class(course: Course, sandbox: None) -> Course:
    write_sample_class(course, "backward")
    for student in set(course.students("backward")) - set(STUDENTS):
        shutil.rmtree(course.root / "submitted" / student)
    return course


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with two worker processes."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


def lists(course: Course) -> list[bytes]:
    return [(course.root / name).read_bytes() for name in ("grades.csv", "verdicts.jsonl")]


def typed(course: Course, *options: str) -> Result:
    places = ["--course", str(course.root), "--masters", str(course.masters)]
    return CliRunner().invoke(main, ["grade", "backward", *places, *options])


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_marks_are_the_same_where_a_worker_is_killed(
    small_class: Course, address: str, tmp_path: Path
) -> None:
    here, there = small_class, copied(small_class, tmp_path / "there")
    grade_class(here, "backward", grader=lambda: Grader(jobs=2))
    engines: list[ClusterGrader] = []
    killed: list[int] = []

    def make() -> ClusterGrader:
        engines.append(ClusterGrader(address, cache=False))
        return engines[0]

    def kill_one(student: str) -> None:
        """Once a first submission is graded, kill a worker that has others."""
        client = engines[0]._client
        if not killed:
            busy = [worker for worker, units in client.processing().items() if units]
            pids = client.run(os.getpid, workers=busy[:1])
            killed.extend(pids.values())
            os.kill(killed[0], signal.SIGKILL)

    run = grade_class(there, "backward", grader=make, progress=kill_one)
    assert len(killed) == 1
    assert run.graded == len(STUDENTS)
    assert lists(there) == lists(here)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler in a process of its own, with a worker in another."""
    file = tmp_path / "scheduler.json"
    cli = [sys.executable, "-m", "distributed.cli.dask_"]
    where = ["--scheduler-file", str(file), "--host", "127.0.0.1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with contextlib.ExitStack() as stack:
        started = []
        for kind, options in (("scheduler", ["--port", "0"]), ("worker", ["--nthreads", "1", "--no-nanny"])):
            command = [*cli[:2], cli[2] + kind, *where, "--no-dashboard", *options]
            process = stack.enter_context(subprocess.Popen(command, **quiet))  # type: ignore[call-overload]
            stack.callback(process.kill)
            started.append(process)
            while not file.exists():
                time.sleep(0.05)
        yield json.loads(file.read_text())["address"], started[0]


@pytest.mark.timeout(600)
def test_a_scheduler_that_goes_away_in_the_middle_costs_nothing_but_the_run(
    small_class: Course, scheduler: tuple[str, "subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    address, process = scheduler
    here, there = small_class, copied(small_class, tmp_path / "there")
    grade_class(here, "backward", grader=lambda: Grader(jobs=2))
    seen: list[str] = []

    def go_away(student: str) -> None:
        seen.append(student)
        process.kill()

    with pytest.raises(ClusterError, match=r"went away\. Start again: what was graded is kept"):
        grade_class(there, "backward", grader=lambda: ClusterGrader(address, jobs=1), progress=go_away)
    assert 0 < len(seen) < len(STUDENTS)
    assert {record.student for record in records_of(there, "backward")} >= set(seen)
    grade_class(there, "backward", grader=lambda: Grader(jobs=2))
    assert lists(there) == lists(here)


@pytest.mark.timeout(600)
def test_the_command_grades_on_the_cluster(small_class: Course, address: str) -> None:
    done = typed(small_class, "--scheduler", address, "--student", "boris", "--student", "dora")
    assert done.exit_code == 0, done.output
    assert "2 graded now" in done.output
    assert b"boris,backward,33,40,correct" in lists(small_class)[0]


@pytest.mark.parametrize("wrong", ["tcp://127.0.0.1:9", "nowhere://x", "scheduler"])
def test_an_address_where_nobody_answers_is_one_line(small_class: Course, wrong: str) -> None:
    done = typed(small_class, "--scheduler", wrong)
    assert done.exit_code == 2
    assert done.stderr.strip().splitlines()[-1].startswith("bncourse: No Dask scheduler answers at")
    assert not (small_class.root / "grades.csv").exists()


def test_a_missing_package_is_named(small_class: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = typed(small_class, "--scheduler", "tcp://127.0.0.1:9")
    assert done.exit_code == 2
    assert "pip install 'bncourse[cluster]'" in done.stderr


def test_workers_of_other_versions_are_refused(
    small_class: Course, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bncourse.grading.engine.cluster.environment", lambda: "python 2.7")
    done = typed(small_class, "--scheduler", address)
    assert done.exit_code == 2
    assert "here is python 2.7. Install the same." in done.stderr.strip().splitlines()[-1]
    assert not (small_class.root / "grades.csv").exists()


def test_a_submission_that_kills_every_worker_is_left_to_a_person(
    small_class: Course, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler gives up a unit after several deaths; nobody else is touched."""
    from distributed import KilledWorker

    class Dead:
        def result(self, timeout: float) -> None:
            raise KilledWorker("unit", "worker", 3)

    with ClusterGrader(address) as grader:
        submit = grader._client.submit

        def fatal(*args: Any, **options: Any) -> Any:
            killed = any(getattr(each, "student", "") == "dora" for each in args)
            return Dead() if killed else submit(*args, **options)

        monkeypatch.setattr(grader._client, "submit", fatal)
        master = small_class.master("backward")
        files = [(name, small_class.notebook("submitted", "backward", name).read_bytes()) for name in ("boris", "dora")]
        records = {record.student: record for record in grader.grade_many(master, files)}
    assert records["boris"].status == "correct"
    assert (records["dora"].status, records["dora"].score) == ("needs review", 0.0)
