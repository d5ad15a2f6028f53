import json
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import CourseError, notebook_digest, write
from bncourse.grading.authoring.course_folder import find_course
from tests.grading.authoring.test_masters import BODY, FRONT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    masters = tmp_path / "assignments" / "masters"
    masters.mkdir(parents=True)
    (masters / "tiny.md").write_text(FRONT + BODY, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["other", "../tiny", "tiny/..", "", "-x", "a" * 65])
def test_an_assignment_that_is_not_there_is_refused_and_nothing_is_made(folder: Path, name: str) -> None:
    course = find_course(folder / "course")
    with pytest.raises(CourseError, match="There is no assignment"):
        course.master(name)
    assert not course.root.exists()


def test_a_source_notebook_is_rendered_when_its_master_changes_and_only_then(folder: Path) -> None:
    course = find_course(folder / "course")
    assert course.render_all() == {}
    source = course.notebook("source", "tiny")
    first, when = source.read_bytes(), source.stat().st_mtime_ns
    assert course.render_all() == {}
    assert source.stat().st_mtime_ns == when
    path = course.masters / "tiny.md"
    path.write_text(path.read_text().replace("Because.", "Because it is."))
    assert course.render_all() == {}
    assert source.read_bytes() != first


def test_a_master_with_a_fault_does_not_keep_the_others_from_being_rendered(folder: Path) -> None:
    (folder / "assignments" / "masters" / "broken.md").write_text("# no facts\n")
    course = find_course(folder / "course")
    assert list(course.render_all()) == ["broken"]
    assert course.notebook("source", "tiny").is_file()
    assert not course.notebook("source", "broken").exists()


def test_a_master_read_from_its_rendered_notebook_is_the_same(folder: Path) -> None:
    course = find_course(folder / "course")
    assert course.master("tiny") == course.master("tiny")


def test_only_the_notebook_lies_in_source(folder: Path) -> None:
    course = find_course(folder / "course")
    course.render_all()
    assert [path.name for path in course.folder("source", "tiny").iterdir()] == ["tiny.ipynb"]


def test_students_are_those_who_handed_in_this_assignment(folder: Path) -> None:
    course = find_course(folder / "course")
    assert course.students("tiny") == []
    write(course.notebook("submitted", "tiny", "zoe"), b"{}")
    write(course.notebook("submitted", "other", "yan"), b"{}")
    write(course.notebook("submitted", "tiny", "ann"), b"{}")
    assert course.students("tiny") == ["ann", "zoe"]


def test_a_notebook_without_a_digest_has_none(tmp_path: Path) -> None:
    for number, text in enumerate(["", "[]", json.dumps({"metadata": {"bncourse": 3}})]):
        path = tmp_path / f"{number}.ipynb"
        path.write_text(text)
        assert notebook_digest(path) is None
    assert notebook_digest(tmp_path / "none.ipynb") is None
