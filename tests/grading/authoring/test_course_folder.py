"""The course folder, its masters and its gradebook are found from where a command is typed."""

from pathlib import Path

import pytest

from bncourse.grading.authoring.course import CourseError
from bncourse.grading.authoring.course_folder import find_course


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assignments" / "masters").mkdir(parents=True)
    (tmp_path / "assignments" / "masters" / "tiny.md").touch()
    return tmp_path


def test_masters_are_found_above_the_course_folder(folder: Path) -> None:
    course = find_course(folder / "_build" / "course")
    assert course.masters == folder / "assignments" / "masters"
    assert course.assignments == ["tiny"]
    assert course.db_url == f"sqlite:///{folder}/_build/course/gradebook.db"


def test_the_gradebook_may_lie_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNCOURSE_DB", "postgresql://elsewhere/grades")
    assert find_course(folder / "course").db_url == "postgresql://elsewhere/grades"
    assert find_course(folder / "course", db_url="sqlite:///here.db").db_url == "sqlite:///here.db"


def test_a_file_is_no_course_folder(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(CourseError, match="not a folder"):
        find_course(folder / "file")


def test_a_missing_folder_of_masters_is_named(folder: Path) -> None:
    with pytest.raises(CourseError, match="--masters"):
        find_course(folder / "course", folder / "nowhere")
