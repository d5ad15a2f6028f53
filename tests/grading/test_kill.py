"""A run that is killed at any moment and started again ends as an undisturbed run does."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from bncourse.grading.course import Course, find_course
from bncourse.grading.sample_class import write_sample_class

pytestmark = pytest.mark.sandbox

MOMENTS = 30
STUDENTS = 6


def command(course: Course) -> list[str]:
    main = "from bncourse.__main__ import main; main()"
    places = ["--course", str(course.root), "--masters", str(course.masters)]
    return [sys.executable, "-c", main, "grade", "backward", "--jobs", "2", *places]


def run(course: Course, seconds: float | None = None) -> bool:
    """Grade, and kill the whole group after so many seconds; returns whether it came to its end."""
    process = subprocess.Popen(
        command(course), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        _, told = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return False
    assert process.returncode == 0, told.decode()
    return True


def gradebook(course: Course) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the gradebook says, without the numbers that nbgrader draws at random, and without times."""
    engine = sql.create_engine(course.db_url)
    views = {
        "grade": "select s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade "
        "from grade g join submitted_notebook n on g.notebook_id = n.id "
        "join submitted_assignment s on n.assignment_id = s.id join base_cell c on g.cell_id = c.id",
        "comment": "select s.student_id, c.name, m.auto_comment, m.manual_comment from comment m "
        "join submitted_notebook n on m.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id "
        "join base_cell c on m.cell_id = c.id",
        "submitted": "select student_id, timestamp from submitted_assignment",
    }
    with engine.connect() as connection:
        return {name: sorted(map(tuple, connection.execute(sql.text(text))), key=repr) for name, text in views.items()}


def hand_in_all(course: Course) -> None:
    """Hand in for a small class."""
    write_sample_class(course, "backward")
    for student in course.students("backward")[STUDENTS:]:
        shutil.rmtree(course.folder("submitted", "backward", student))


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_killed_run_goes_on_to_the_same_result(released_course: Course, tmp_path: Path) -> None:
    courses = {}
    for name in ("undisturbed", "killed"):
        shutil.copytree(released_course.root, tmp_path / name)
        courses[name] = find_course(tmp_path / name, released_course.masters)
        hand_in_all(courses[name])
    start = time.monotonic()
    assert run(courses["undisturbed"])
    seconds = time.monotonic() - start
    moments = random.Random(1)
    killed = 0
    for _ in range(MOMENTS):
        if run(courses["killed"], moments.uniform(0.1, 1.1) * seconds):
            shutil.rmtree(courses["killed"].root)
            shutil.copytree(released_course.root, courses["killed"].root)
            hand_in_all(courses["killed"])
        else:
            killed += 1
    assert killed >= MOMENTS // 2
    assert run(courses["killed"])
    lists = [(course.root / "grades.csv").read_bytes() for course in courses.values()]
    assert lists[0] == lists[1]
    assert gradebook(courses["undisturbed"]) == gradebook(courses["killed"])
