"""The class list: in, out and in again; who is dropped stands in no list, and comes back with the grades they had."""

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.reports.class_lines import class_lines, lines_of
from bncourse.grading.workflows.collect import collect
from bncourse.grading.workflows.roster import Member, enter_members, known_members, read_roster, set_dropped

CLASS = [
    Member("ada", "Ada", "Lovelace", "ada@x.edu", "101", "adal"),
    Member("bo", "=Bo", "Müller, Jr.", "bo@x.edu", "102"),
    Member("xm", "小明", "王"),
]


def roster(course: Course, *arguments: str) -> str:
    done = CliRunner().invoke(main, ["roster", *arguments, "--course", str(course.root)])
    assert done.exit_code == 0, done.output
    return done.output


def test_what_is_exported_is_imported_as_it_was(course: Course, tmp_path: Path) -> None:
    assert enter_members(course, CLASS) == 3
    path = tmp_path / "roster.csv"
    assert "3 students" in roster(course, "export", "--to", str(path))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") and b",=" not in path.read_bytes()
    assert read_roster(path) == CLASS
    assert "3 students in roster.csv: 0 new or changed." in roster(course, "import", str(path))
    assert known_members(course) == sorted(CLASS, key=lambda member: (member.last, member.first))


def test_a_platforms_list_in_the_course_folder_is_not_written_over(course: Course) -> None:
    enter_members(course, CLASS)
    (course.root / "roster.csv").write_text("what Canvas let me download")
    assert f"3 students: {course.root / 'class_list.csv'}" in roster(course, "export").replace("\n", "")
    assert (course.root / "roster.csv").read_text() == "what Canvas let me download"


def test_what_is_not_in_a_list_stays_as_it_was(course: Course, tmp_path: Path) -> None:
    enter_members(course, CLASS)
    path = tmp_path / "new.csv"
    path.write_text("student_id,email\nada,new@x.edu\nzoe,z@x.edu\n")
    said = roster(course, "import", str(path))
    assert "2 new or changed" in said and "2 of the gradebook are not in the file: bo, xm" in said.replace(
        "xm, bo", "bo, xm"
    )
    by = {member.student: member for member in known_members(course)}
    assert by["ada"] == CLASS[0]._replace(email="new@x.edu") and by.keys() == {"ada", "bo", "xm", "zoe"}
    assert "Dropped: " in roster(course, "import", str(path), "--drop-others")
    assert {member.student for member in known_members(course)} == {"ada", "zoe"}


def test_who_is_dropped_stands_in_no_list_and_comes_back_with_the_grades_they_had(
    course: Course, tmp_path: Path
) -> None:
    enter_members(course, CLASS)
    with GradebookWriter(course, course.master("backward")) as writer:
        for student in ("ada", "bo"):
            writer.put(SubmissionRecord(student, "backward", "wrong", ()), "", [])
    before = lines_of(course)
    roster(course, "drop", "bo", "xm")
    assert (
        [line.student for line in class_lines(course, "backward")] == ["ada"] == [x.student for x in lines_of(course)]
    )
    notebook = {"cells": [], "metadata": {"bncourse": {"assignment": "backward"}}, "nbformat": 4, "nbformat_minor": 5}
    download = tmp_path / "d.zip"
    with zipfile.ZipFile(download, "w") as archive:
        archive.writestr("x_102_1_backward.ipynb", json.dumps(notebook))
        archive.writestr("y_101_2_backward.ipynb", json.dumps(notebook))
    found = collect(course, "backward", download)
    assert {row.student: row.outcome for row in found.rows} == {"": "not taken", "ada": "taken"}
    assert "bo was dropped; to take them in again: bncourse roster restore bo" in found.rows[0].notes
    assert found.missing == ()
    assert set_dropped(course, ["bo", "bo", "ada"], dropped=False) == ["bo"]
    assert lines_of(course) == [line if line.student != "ada" else lines_of(course)[0] for line in before]


def test_a_student_can_be_added_by_hand(course: Course) -> None:
    assert "written down" in roster(course, "add", "zoe", "--first", "Zoë", "--login", "zo")
    assert "known already" in roster(course, "add", "zoe")
    assert known_members(course) == [Member("zoe", "Zoë", login="zo")]
    done = CliRunner().invoke(main, ["roster", "add", "../zoe", "--course", str(course.root)])
    assert done.exit_code == 2 and "cannot be a student's id" in done.output


def test_nobody_is_dropped_where_one_of_them_is_unknown(course: Course) -> None:
    enter_members(course, CLASS)
    with pytest.raises(CourseError, match="no student 'eve'"):
        set_dropped(course, ["ada", "eve"], dropped=True)
    assert len(known_members(course)) == 3
