import json
import os
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.install import WHEEL
from bncourse.grading.core.render import release_notebook
from bncourse.grading.workflows.release import choose_written, is_released, release


def test_students_get_what_the_master_releases(released_course: Course) -> None:
    content = json.loads(released_course.notebook("release", "backward").read_bytes())
    expected = release_notebook(released_course.master("backward"))
    released = [(cell["id"], "".join(cell["source"])) for cell in content["cells"]]
    assert released == [(cell["id"], cell["source"]) for cell in expected["cells"]]


def test_students_get_the_notebook_and_the_package_and_no_other_file(released_course: Course) -> None:
    folder = released_course.folder("release", "backward")
    assert sorted(path.name for path in folder.iterdir()) == ["backward.ipynb", WHEEL]


def test_a_release_is_up_to_date_until_its_master_changes(course: Course) -> None:
    assert is_released(course, "backward")
    content = json.loads(course.notebook("release", "backward").read_bytes())
    content["metadata"]["bncourse"]["digest"] = "an older one"
    course.notebook("release", "backward").write_text(json.dumps(content))
    assert not is_released(course, "backward")


def test_a_release_twice_gives_the_same_bytes(course: Course) -> None:
    before = course.notebook("release", "backward").read_bytes()
    release(course, "backward")
    assert course.notebook("release", "backward").read_bytes() == before


def test_the_gradebook_knows_points_and_due_date(released_course: Course) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(released_course.db_url, "bncourse") as gradebook:
        assignment = gradebook.find_assignment("backward")
        assert assignment.max_score == 40
        assert str(assignment.duedate) == "2027-02-12 23:59:00"


def test_a_release_needs_no_path_to_the_environment(
    released_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nbgrader calls alembic by its name when it makes a gradebook."""
    from dataclasses import replace

    monkeypatch.setenv("PATH", os.defpath)
    elsewhere = replace(released_course, db_url=f"sqlite:///{tmp_path}/new.db", root=tmp_path / "course")
    release(elsewhere, "backward")
    assert is_released(elsewhere, "backward")


def test_an_assignment_can_be_released_without_its_written_answers(course: Course) -> None:
    from nbgrader.api import Gradebook

    whole = course.master("backward")
    choose_written(course, "backward", written=False)
    assert not is_released(course, "backward")
    release(course, "backward")
    master = course.master("backward")
    assert is_released(course, "backward") and {cell.kind for cell in master.cells} == {
        "text",
        "given",
        "answer",
        "test",
    }
    assert [cell.grade_id for cell in master.cells] == [cell.grade_id for cell in whole.cells]
    assert master.metadata["points"] == sum(cell.points for cell in master.cells) == 33
    with Gradebook(course.db_url, "bncourse") as gradebook:
        assert gradebook.find_assignment("backward").max_score == 33
    released = course.notebook("release", "backward").read_text()
    assert "YOUR ANSWER HERE" not in released and released.count("this question is not marked") == 6
    choose_written(course, "backward", written=True)
    assert course.master("backward").key == whole.key
    course.notebook("submitted", "backward", "ada").parent.mkdir(parents=True)
    with pytest.raises(CourseError, match="ada has handed in"):
        choose_written(course, "backward", written=False)
