import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import SubmissionRecord, Verdict
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.reports import export
from bncourse.grading.reports.class_lines import class_lines, each_line
from bncourse.grading.reports.summary import tables

BAD = "=cmd|' /C calc'!A0"


@pytest.fixture
def marked(course: Course) -> Course:
    """Two students, one with an id that a spreadsheet would run."""
    tests = [cell for cell in course.master("backward").cells if cell.kind == "test"]
    verdicts = tuple(Verdict(cell.grade_id, "correct", cell.points, cell.points) for cell in tests)
    wrong = replace(verdicts[0], outcome="wrong", points=0.0, message='Said "so",\nand =1+1')
    with GradebookWriter(course, course.master("backward")) as writer:
        for student, its in (("ann", verdicts), (BAD, (wrong, *verdicts[1:]))):
            writer.put(SubmissionRecord(student, "backward", "wrong", its), "", ["proof"])
    return course


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_grades_have_one_row_a_student_and_no_formula(marked: Course) -> None:
    export.write_lists(marked)
    assert rows((marked.root / "grades.csv").read_bytes()) == [
        ["id", "assignment", "score", "max_score", "status", "late", "to_mark"],
        [f"'{BAD}", "backward", "32", "40", "wrong", "", "yes"],
        ["ann", "backward", "33", "40", "wrong", "", "yes"],
    ]


def test_verdicts_are_one_json_object_a_line(marked: Course) -> None:
    export.write_lists(marked)
    lines = (marked.root / "verdicts.jsonl").read_text().splitlines()
    assert len(lines) == 2 * 18
    first = json.loads(lines[0])
    assert (first["student"], first["verdict"], first["message"]) == (BAD, "wrong", 'Said "so",\nand =1+1')


def test_questions_have_a_column_each(marked: Course) -> None:
    heading, first, second = rows(export.export(marked, "backward", "csv").read_bytes())
    assert heading[:8] == ["id", "name", "assignment", "score", "max_score", "status", "late", "to_mark"]
    assert (first[7], first[8], second[8]) == ("yes", "0", "1")


def test_canvas_gets_its_columns_and_the_points_possible(marked: Course, tmp_path: Path) -> None:
    path = export.export(marked, "backward", "canvas", tmp_path / "c.csv")
    table = rows(path.read_bytes())
    assert table[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "backward"]
    assert table[1] == ["    Points Possible", "", "", "", "", "40"]
    assert table[3] == ["ann", "", "", "ann", "", "33"]


def test_gradescope_gets_one_result_a_student(marked: Course, tmp_path: Path) -> None:
    folder = export.export(marked, "backward", "gradescope", tmp_path / "g")
    result = json.loads((folder / "ann" / "results.json").read_text())
    assert result["score"] == 33 and len(result["tests"]) == 18
    assert result["tests"][0]["output_format"] == "text"
    assert len(list(folder.rglob("results.json"))) == 2


def test_points_given_by_hand_are_in_the_grades(marked: Course) -> None:
    with Gradebook(marked.db_url, "bncourse") as gradebook:
        gradebook.find_grade("proof", "backward", "backward", "ann").manual_score = 3.5
        gradebook.db.commit()
    export.write_lists(marked)
    assert rows((marked.root / "grades.csv").read_bytes())[2][2] == "36.5"


def test_what_was_not_graded_cannot_be_exported(course: Course) -> None:
    with pytest.raises(CourseError, match="bncourse grade backward"):
        export.export(course, "backward", "csv")


def test_scores_that_are_not_complete_are_named_and_refused_if_asked(marked: Course) -> None:
    said = export.warnings(each_line(marked, "backward"))
    assert said[0].startswith("2 of 2 scores are not complete") and "ann" in said[0]
    assert "have nothing in the folder submitted" in said[1] and "bncourse roster drop ID" in said[1]
    with pytest.raises(CourseError, match=r"Nothing was written.*not complete"):
        export.export(marked, "backward", "canvas", complete=True)
    assert not (marked.results("backward") / "canvas.csv").exists()


def test_what_was_lost_for_being_late_stands_in_every_list(marked: Course) -> None:
    with Gradebook(marked.db_url, "bncourse") as gradebook:
        gradebook.find_submission_notebook("backward", "backward", "ann").late_submission_penalty = 3.3
        gradebook.db.commit()
    export.write_lists(marked)
    assert rows((marked.root / "grades.csv").read_bytes())[2] == [
        "ann", "backward", "29.7", "40", "wrong", "-3.3", "yes",
    ]  # fmt: skip
    line = next(line for line in each_line(marked, "backward") if line.student == "ann")
    assert "Late, -3.3 points." in export._gradescope(line)["output"]
    shown = Console(width=200, record=True, file=io.StringIO())
    shown.print(tables([line], "backward")[0])
    assert "29.7+ (late, -3.3)" in shown.export_text()


def with_class_list(course: Course) -> None:
    with Gradebook(course.db_url, "bncourse") as gradebook:
        for student, first, last in (("ann", "Ann", "Lee"), ("zoë", "Zoë", "=O'Neil"), ("late", "La", "Te")):
            gradebook.update_or_create_student(student, first_name=first, last_name=last, email=f"{first}@x.edu")
    handed_in = course.notebook("submitted", "backward", "late")
    handed_in.parent.mkdir(parents=True)
    handed_in.write_bytes(b"{}")


@pytest.mark.parametrize(("missing", "points"), [("zero", "0"), ("blank", "")])
def test_the_whole_class_is_in_every_format(marked: Course, missing: str, points: str, tmp_path: Path) -> None:
    with_class_list(marked)
    for style in ("canvas", "moodle", "csv"):
        content = export.export(marked, "backward", style, tmp_path / style, missing=missing).read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        table = rows(content)
        at = {"canvas": 3, "moodle": 0, "csv": 0}[style]
        by = {row[at]: row for row in table}
        assert {"ann", "zoë", "late", f"'{BAD}"} <= by.keys()
        column = table[0].index("score" if style == "csv" else "backward")
        assert (by["ann"][column], by["zoë"][column], by["late"][column]) == ("33", points, "")
        assert all(not cell.startswith("=") for row in table for cell in row)
    folder = export.export(marked, "backward", "gradescope", tmp_path / "g", missing=missing)
    assert (folder / "zoë" / "results.json").exists() == (missing == "zero")
    said = export.warnings(class_lines(marked, "backward"))
    assert any("1 of 4 have handed in and are not graded (late)" in line for line in said)


def test_canvas_and_moodle_get_names_in_their_own_order(marked: Course, tmp_path: Path) -> None:
    with_class_list(marked)
    canvas = rows(export.export(marked, "backward", "canvas", tmp_path / "c.csv").read_bytes())
    assert ["Lee, Ann", "", "", "ann", "", "33"] in canvas
    moodle = rows(export.export(marked, "backward", "moodle", tmp_path / "m.csv").read_bytes())
    assert moodle[0] == ["ID number", "First name", "Last name", "Email address", "backward"]
    assert ["ann", "Ann", "Lee", "Ann@x.edu", "33"] in moodle
