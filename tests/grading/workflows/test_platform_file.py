"""Gradebook files of three platforms, made here after their layout, come back with marks and nothing else changed."""

import difflib
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import SubmissionRecord, Verdict
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.submissions.origins import Origin, note_origins
from bncourse.grading.workflows.platform_file import fill_in
from bncourse.grading.workflows.roster import Member, enter_members

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Quiz 1 (811),Backward (812),Backward Current Score\r\n"
    ",,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,10.00,46.00,(read only)\r\n"
    '"Müller, Éva",101,s1,eva,"A, B",7.5,,80\r\n'
    '"王, 小明",102,s2,xm,A,,12.00,70\r\n'
    '"Kim, Lee",103,s3,lee1,A,3,,\r\n'
    '"Kim, Lee",104,s4,lee2,A,4,,\r\n'
    '"Student, Test",999,,0aff,A,,,\r\n'
)
MOODLE = (
    "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments\n"
    'Participant 7001,Éva Müller,eva@x.edu,Submitted,,46.00,"Monday, 2 November 2026, 9:30 AM","Well, done"\n'
    "Participant 7002,小明 王,xm@x.edu,Submitted,12.00,46.00,-,\n"
    "Participant 7003,Lee Kim,lee1@x.edu,No submission,,46.00,-,\n"
)


@pytest.fixture
def marked(course: Course) -> Course:
    """Two graded students of four."""
    people = [("eva", "Éva", "Müller", "101"), ("xm", "小明", "王", "102")]
    people += [("lee1", "Lee", "Kim", "103"), ("lee2", "Lee", "Kim", "104")]
    enter_members(course, [Member(who, first, last, f"{who}@x.edu", number) for who, first, last, number in people])
    tests = [cell for cell in course.master("backward").cells if cell.kind == "test"]
    with GradebookWriter(course, course.master("backward")) as writer:
        for student, lost in (("eva", 0.0), ("xm", 0.5)):
            verdicts = [Verdict(cell.grade_id, "correct", cell.points, cell.points) for cell in tests]
            verdicts[0] = Verdict(tests[0].grade_id, "wrong", tests[0].points - lost, tests[0].points)
            writer.put(SubmissionRecord(student, "backward", "correct", tuple(verdicts)), "", [])
    return course


def saved(folder: Path, text: str) -> Path:
    path = folder / "gradebook.csv"
    path.write_bytes(text.encode())
    return path


def changes(before: Path, after: Path) -> list[str]:
    """The lines that are new."""
    one, two = (path.read_bytes().decode().splitlines(keepends=True) for path in (before, after))
    return [line[2:] for line in difflib.ndiff(one, two) if line.startswith("+ ")]


def test_a_canvas_gradebook_comes_back_with_the_marks_and_nothing_else_changed(marked: Course, tmp_path: Path) -> None:
    file = saved(tmp_path, CANVAS)
    filled = fill_in(marked, "backward", "canvas", file)
    expected = CANVAS.replace('B",7.5,,80', 'B",7.5,33,80').replace("A,,12.00,70", "A,,32.5,70")
    expected = expected.replace("lee1,A,3,,", "lee1,A,3,0,").replace("lee2,A,4,,", "lee2,A,4,0,")
    assert filled.path.read_bytes().decode() == expected
    assert file.read_bytes().decode() == CANVAS
    assert (filled.changed, filled.same) == (4, 0)
    assert filled.strangers == ("Student, Test, 999",) and filled.left_out == ()
    assert filled.notes == ("The platform has 46.00 points for this column, and the assignment has 40.",)
    again = fill_in(marked, "backward", "canvas", filled.path, tmp_path / "again.csv")
    assert (again.changed, again.same) == (0, 4)
    assert again.path.read_bytes() == filled.path.read_bytes()


def test_students_who_handed_in_nothing_can_stay_as_the_platform_has_them(marked: Course, tmp_path: Path) -> None:
    filled = fill_in(marked, "backward", "canvas", saved(tmp_path, CANVAS), missing="blank")
    assert filled.changed == 2 and b"lee1,A,3,,\r\n" in filled.path.read_bytes()


def test_a_moodle_worksheet_is_matched_by_its_participants(marked: Course, tmp_path: Path) -> None:
    note_origins(marked, "backward", {"xm": Origin("moodle", "7002", "小明 王_7002_assignsubmission_file_/x.ipynb")})
    file = saved(tmp_path, MOODLE)
    filled = fill_in(marked, "backward", "moodle", file)
    new = changes(file, filled.path)
    assert [line.split(",")[0] for line in new] == ["Participant 7001", "Participant 7002", "Participant 7003"]
    expected = MOODLE.replace("Submitted,,46", "Submitted,33,46").replace("Submitted,12.00,", "Submitted,32.5,")
    assert filled.path.read_bytes().decode() == expected.replace("submission,,46", "submission,0,46")
    assert filled.left_out == ("lee2",)


def test_a_worksheet_in_another_language_needs_its_column_named(marked: Course, tmp_path: Path) -> None:
    text = "ID;Vollständiger Name;E-Mail-Adresse;Bewertung;Maximum\nTeilnehmer/in 5;王 小明;xm@x.edu;;46,00\n"
    file = saved(tmp_path, text)
    with pytest.raises(CourseError, match=r"no column named grade\. Say with --column .*Bewertung"):
        fill_in(marked, "backward", "moodle", file)
    filled = fill_in(marked, "backward", "moodle", file, column="Bewertung")
    assert filled.path.read_bytes().decode() == text.replace("xm@x.edu;;", "xm@x.edu;32,5;")


def test_a_gradescope_list_is_matched_by_its_addresses(marked: Course, tmp_path: Path) -> None:
    text = (
        "First Name,Last Name,SID,Email,backward,backward - Max Points\nÉ,M,s1,EVA@x.edu,,40.0\nA,B,,no@x.edu,,40.0\n"
    )
    filled = fill_in(marked, "backward", "gradescope", saved(tmp_path, text))
    assert filled.path.read_bytes().decode() == text.replace("EVA@x.edu,,", "EVA@x.edu,33,")
    assert filled.strangers == ("A, B",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("Student,ID\nx,101\n", "no column named"),
        ("Student,ID,Backward (1),backward (2)\nx,101,,\n", "2 columns named"),
        ("Student,ID,backward\nx,101,\ny,101,\n", "rows 2 and 3 are both of eva"),
        ("Student,ID,backward\nx,101\n", "row 2 has no cell"),
        ("Student,ID,backward\nx,900,\n", "names nobody of the class list"),
        ("Student,ID,SIS User ID,SIS Login ID,S,backward\nPoints Possible,,,,,(read only)\nx,101,,,,\n", "read only"),
    ],
)
def test_a_file_that_cannot_be_filled_is_refused_and_nothing_is_written(
    marked: Course, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(CourseError, match=said):
        fill_in(marked, "backward", "canvas", saved(tmp_path, text))
    assert not (marked.results("backward") / "gradebook.csv").exists()


def test_a_row_whose_number_and_login_are_of_two_students_is_nobodys(marked: Course, tmp_path: Path) -> None:
    text = "Student,ID,SIS Login ID,backward\nx,101,xm,\ny,102,xm,\n"
    filled = fill_in(marked, "backward", "canvas", saved(tmp_path, text))
    assert filled.path.read_bytes().decode() == text.replace("y,102,xm,", "y,102,xm,32.5")
