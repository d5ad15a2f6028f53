import json

import pytest

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.authoring.sample_class import load_sample_class, write_sample_class


def test_everybody_hands_in_once_and_the_second_time_changes_nothing(course: Course) -> None:
    sample = load_sample_class(course, "backward")
    assert len(write_sample_class(course, "backward")) == len(sample.students)
    assert course.students("backward") == sorted(student.id for student in sample.students)
    assert write_sample_class(course, "backward") == []


def test_the_class_has_every_kind_of_submission(course: Course) -> None:
    statuses = {student.status for student in load_sample_class(course, "backward").students}
    assert statuses >= {"correct", "wrong", "crashed", "timeout", "not attempted", "unreadable", "repaired"}


def test_points_are_lost_only_where_the_master_gives_some(course: Course) -> None:
    points = {cell.grade_id: cell.points for cell in course.master("backward").cells if cell.kind == "test"}
    for student in load_sample_class(course, "backward").students:
        assert all(points[name] == lost for name, lost in student.lost.items()), student.id


def test_answers_go_into_the_cells_they_name(course: Course) -> None:
    names = {cell.grade_id for cell in course.master("backward").cells}
    sample = load_sample_class(course, "backward")
    for student in sample.students:
        assert {*student.answers, *student.unfinished, *student.drafts, *student.tags, *student.tests} <= names
    assert set(sample.written) <= names


def test_a_duplicated_cell_bears_the_same_grade_id_twice(course: Course) -> None:
    write_sample_class(course, "backward")
    cells = json.loads(course.notebook("submitted", "backward", "rosa").read_bytes())["cells"]
    names = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in cells]
    assert names.count("closed") == 2


def test_copies_hand_in_under_ids_of_their_own(course: Course) -> None:
    write_sample_class(course, "backward", copies=2)
    assert {"ada-0001", "ada-0002"} <= set(course.students("backward"))
    first, second = (course.notebook("submitted", "backward", f"ada-000{n}").read_bytes() for n in (1, 2))
    assert first != second


def test_a_real_class_is_left_alone(course: Course) -> None:
    write(course.notebook("submitted", "backward", "a-real-student"), b"{}")
    with pytest.raises(CourseError, match="a-real-student"):
        write_sample_class(course, "backward")
    assert course.students("backward") == ["a-real-student"]
