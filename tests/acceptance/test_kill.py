"""A run that is killed at any moment and started again ends as an undisturbed run does."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.sample_class import write_sample_class
from tests.conftest import copied

pytestmark = pytest.mark.sandbox

MOMENTS = 30
STUDENTS = ("boris", "chen", "dora", "hana", "mika", "rosa")
ROWS = {
    "grade": "select s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade "
    "from grade g join submitted_notebook n on g.notebook_id = n.id "
    "join submitted_assignment s on n.assignment_id = s.id join base_cell c on g.cell_id = c.id",
    "comment": "select s.student_id, c.name, m.auto_comment, m.manual_comment from comment m "
    "join submitted_notebook n on m.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id "
    "join base_cell c on m.cell_id = c.id",
    "submitted": "select student_id, timestamp from submitted_assignment",
}
"""What the gradebook says, without the numbers that nbgrader draws at random, and without times."""

WARM = multiprocessing.get_context("forkserver")
WARM.set_forkserver_preload(
    [
        "bncourse.cli.grade",
        "bncourse.grading.engine.grader",
        "bncourse.grading.workflows.grade",
        "bncourse.grading.reports.summary",
        "jupytext",
    ]
)


def grade(root: Path, masters: Path) -> None:
    """The command, at the head of a process group of its own."""
    from bncourse.cli import main

    os.setsid()
    main(["grade", "backward", "--jobs", "2", "--course", str(root), "--masters", str(masters)])


def ends(course: Course, seconds: float) -> bool:
    """Grade, and kill all processes after so many seconds; returns whether the run came to its end."""
    process = WARM.Process(target=grade, args=(course.root, course.masters))
    process.start()
    process.join(seconds)
    if process.exitcode is None and process.pid is not None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # not yet at the head of its group
            process.kill()
        process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0


def outcome(course: Course) -> dict[str, Any]:
    """The bytes of the lists, and the content of the gradebook."""
    engine = sql.create_engine(course.db_url)
    with engine.connect() as connection:
        rows = {name: sorted(map(repr, connection.execute(sql.text(text)))) for name, text in ROWS.items()}
    engine.dispose()
    return rows | {name: (course.root / name).read_bytes() for name in ("grades.csv", "verdicts.jsonl")}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_killed_run_goes_on_to_the_same_result(course: Course, tmp_path: Path, sandbox: None) -> None:
    write_sample_class(course, "backward")
    for student in set(course.students("backward")) - set(STUDENTS):
        shutil.rmtree(course.root / "submitted" / student)
    undisturbed, often_killed = copied(course, tmp_path / "undisturbed"), tmp_path / "killed"
    assert ends(undisturbed, 300)
    assert not ends(copied(course, tmp_path / "warm"), 0.0)
    again = copied(course, tmp_path / "again")
    start = time.monotonic()
    assert ends(again, 300)
    seconds = time.monotonic() - start
    expected = outcome(undisturbed)
    assert outcome(again) == expected

    moments, killed, finished = random.Random(1), 0, 0
    victim = copied(course, often_killed)
    while killed < MOMENTS:
        if not ends(victim, moments.uniform(0.0, 1.1) * seconds):
            killed += 1
        else:
            finished += 1
            assert outcome(victim) == expected
            shutil.rmtree(often_killed)
            victim = copied(course, often_killed)
            assert finished <= 2 * MOMENTS
    assert ends(victim, 300)
    assert outcome(victim) == expected
