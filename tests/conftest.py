"""What several rooms' tests share: a course whose assignment `backward` is released, made once a session."""

import shutil
from pathlib import Path

import pytest

from bncourse.grading.course import Course, find_course
from bncourse.grading.release import release

MASTERS = Path(__file__).resolve().parents[1] / "assignments" / "masters"


@pytest.fixture(scope="session")
def released_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course folder with `backward` released; copy it (fixture `course`) before changing anything."""
    course = find_course(tmp_path_factory.mktemp("released") / "course", MASTERS)
    release(course, "backward")
    return course


@pytest.fixture
def course(released_course: Course, tmp_path: Path) -> Course:
    """A course folder of the test's own, with `backward` released."""
    shutil.copytree(released_course.root, tmp_path / "course")
    return find_course(tmp_path / "course", MASTERS)
