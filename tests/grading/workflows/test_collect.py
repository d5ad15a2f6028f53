"""Downloads of four platforms, made here after their layout, end in the folder that grading reads."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.gradebook.records_table import open_gradebook
from bncourse.grading.submissions.downloads import read_download
from bncourse.grading.submissions.unpack import DownloadError
from bncourse.grading.workflows.collect import Collected, collect
from bncourse.grading.workflows.roster import Matcher, Member, known_members, letters, read_roster


def notebook(assignment: str | None = "backward", text: str = "") -> bytes:
    facts = {} if assignment is None else {"bncourse": {"assignment": assignment}}
    cells = [{"cell_type": "markdown", "metadata": {}, "source": text}]
    return json.dumps({"cells": cells, "metadata": facts, "nbformat": 4, "nbformat_minor": 5}).encode()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


ROSTER = """Student,ID,SIS User ID,SIS Login ID,Section,backward
    Points Possible,,,,,46
"Müller, Éva",101,s1,eva,A,
"王, 小明",102,s2,xiaoming,A,
"Kim, Lee",103,s3,lee1,A,
"Kim, Lee",104,s4,lee2,B,
"O'Neil, Zoë",105,s5,zoe,B,
"""


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER, encoding="utf-8-sig")
    return path


def rows(found: Any) -> dict[str, Collected]:
    return {row.student or row.who: row for row in found.rows}


def content(course: Course, student: str) -> bytes:
    return course.notebook("submitted", "backward", student).read_bytes()


def test_canvas(course: Course, roster: Path, tmp_path: Path) -> None:
    download = zipped(
        tmp_path / "submissions.zip",
        {
            "mullereva_101_9001_backward.ipynb": notebook(text="old"),
            "mullereva_101_9002_backward-1.ipynb": notebook(text="new"),
            "小明_LATE_102_9003_backward (1).ipynb": notebook(),
            "kimlee_103_9004_Copy of backward.ipynb": notebook(text="first"),
            "kimlee_104_9005_backward.ipynb": notebook(text="second"),
            "oneilzoe_105_9006_backward.zip": b"PK\x03\x04...",
            "oneilzoe_105_9007_forward.ipynb": notebook("forward"),
            "guest_999_9008_backward.ipynb": notebook(),
        },
    )
    found = collect(course, "backward", download, roster=roster)
    by = rows(found)
    assert found.platform == "canvas"
    assert b"new" in content(course, "eva") and any("passed over" in note for note in by["eva"].notes)
    assert b"first" in content(course, "lee1") and b"second" in content(course, "lee2")
    assert by["xiaoming"].outcome == "taken" and any("late by the platform" in note for note in by["xiaoming"].notes)
    assert by["zoe"].outcome == "not taken"
    assert "backward.zip: a ZIP file, not a notebook" in by["zoe"].notes
    assert "forward.ipynb: a notebook of forward" in by["zoe"].notes
    assert by["guest 999"].notes == ("not in the class list",)
    assert found.missing == ("zoe",)


def test_of_one_student_under_two_names_the_latest_is_taken_once_and_for_all(
    course: Course, roster: Path, tmp_path: Path
) -> None:
    files = {
        "kim_104_9003_backward.ipynb": notebook(text="new"),
        "oneil_105_9006_backward.zip": b"PK\x03\x04...",
        "kimlee_104_9001_backward.ipynb": notebook(text="old"),
        "oneilzoe_105_9002_backward.ipynb": notebook(),
    }
    found = collect(course, "backward", zipped(tmp_path / "submissions.zip", files), roster=roster)
    assert b"new" in content(course, "lee2") and len(found.rows) == 2
    by = rows(found)
    assert by["lee2"].notes[-1] == "kimlee 104 is the same student"
    assert by["zoe"].outcome == "taken" and by["zoe"].source == "backward.ipynb"
    again = collect(course, "backward", tmp_path / "submissions.zip")
    assert {row.outcome for row in again.rows} == {"unchanged"}


def test_a_file_and_a_folder_of_one_student_are_read_together(course: Course, tmp_path: Path) -> None:
    (tmp_path / "all" / "ada").mkdir(parents=True)
    (tmp_path / "all" / "eva").mkdir()
    (tmp_path / "all" / "ada.ipynb").write_bytes(notebook())
    (tmp_path / "all" / "ada" / "helper.py").write_text("A = 1")
    (tmp_path / "all" / "eva" / "backward.ipynb").write_bytes(notebook())
    found = collect(course, "backward", tmp_path / "all", platform="folder")
    assert {row.student: row.outcome for row in found.rows} == {"ada": "taken", "eva": "taken"}
    assert course.notebook("submitted", "backward", "ada").with_name("helper.py").is_file()


def test_collecting_again_changes_nothing(course: Course, roster: Path, tmp_path: Path) -> None:
    download = zipped(tmp_path / "d.zip", {f"x_{n}_{n}_backward.ipynb": notebook(text=str(n)) for n in range(101, 106)})
    collect(course, "backward", download, roster=roster)
    before = {path: path.stat().st_mtime_ns for path in (course.root / "submitted").rglob("*") if path.is_file()}
    again = collect(course, "backward", download, roster=roster)
    assert {row.outcome for row in again.rows} == {"unchanged"}
    assert before == {
        path: path.stat().st_mtime_ns for path in (course.root / "submitted").rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("form", ["{}{}_assignsubmission_file_/{}", "{}{}_assignsubmission_file_{}"])
@pytest.mark.parametrize("group", ["", "Group A-"])
def test_moodle(course: Course, tmp_path: Path, form: str, group: str) -> None:
    roster = tmp_path / "participants.csv"
    roster.write_text(
        "First name,Last name,ID number,Email address\nÉva,Müller,eva,e@x.edu\n小明,王,xm,x@x.edu\n", encoding="utf-8"
    )
    download = zipped(
        tmp_path / "moodle.zip",
        {
            form.format(group, "Éva Müller_7001", "task.ipynb"): notebook(text="eva"),
            form.format(group, "小明 王_7002", "backward.ipynb"): notebook(text="xm"),
        },
    )
    found = collect(course, "backward", download, roster=roster)
    assert found.platform == "moodle"
    assert rows(found)["eva"].notes == ("was named task.ipynb",)
    assert b"eva" in content(course, "eva") and b"xm" in content(course, "xm")


def test_gradescope(course: Course, tmp_path: Path) -> None:
    people = [
        {":name": "Ada L", ":sid": "s1", ":email": "ada@x.edu"},
        {":name": "Bo", ":sid": "s2", ":email": "bo@x.edu"},
    ]
    metadata = {
        "submission_11": {":submitters": people, ":created_at": "2026-11-02 09:30:00 UTC"},
        "submission_12": {
            ":submitters": [{":name": "Cy", ":email": "cy@x.edu"}],
            ":created_at": "2026-11-03 09:30:00 UTC",
        },
    }
    download = zipped(
        tmp_path / "export.zip",
        {
            "assignment_5_export/submission_metadata.yml": yaml.safe_dump(metadata).encode(),
            "assignment_5_export/submission_11/backward.ipynb": notebook(text="pair"),
            "assignment_5_export/submission_12/final.ipynb": notebook(text="cy"),
            "assignment_5_export/submission_12/helpers.py": b"x = 1\n",
            "assignment_5_export/submission_13/backward.ipynb": notebook(),
        },
    )
    found = collect(course, "backward", download)
    assert found.platform == "gradescope"
    assert content(course, "ada") == content(course, "bo")  # both of a group
    folder = course.folder("submitted", "backward", "cy")
    assert folder.joinpath("helpers.py").read_bytes() == b"x = 1\n"
    assert folder.joinpath("timestamp.txt").read_text() == "2026-11-03 09:30:00.000000 UTC"
    assert len(found.unused) == 1 and "submission_13" in found.unused[0]
    assert {member.student: member.lms_id for member in known_members(course)}["ada"] == "s1"


@pytest.mark.parametrize("logins", [("evam", "bobby"), ("uni-a", "uni-b"), ("m-uni-a", "uni-a")])
def test_github_classroom(course: Course, tmp_path: Path, logins: tuple[str, str]) -> None:
    roster, (eva, bo) = tmp_path / "classroom_roster.csv", logins
    heading = '"identifier","github_username","github_id","name"'
    roster.write_text(f'{heading}\n"eva","{eva}","1",""\n"bo","{bo}","2",""\n')
    for login in logins:
        folder = tmp_path / "backward-submissions" / f"backward-{login}"
        (folder / ".git").mkdir(parents=True)
        (folder / ".git" / "config.ipynb").write_bytes(notebook())
        (folder / "backward.ipynb").write_bytes(notebook(text=login))
    found = collect(course, "backward", tmp_path / "backward-submissions", roster=roster)
    assert found.platform == "github"
    assert eva.encode() in content(course, "eva") and bo.encode() in content(course, "bo")
    assert content(course, "eva") != content(course, "bo")


def test_a_newer_submission_is_kept(course: Course, tmp_path: Path) -> None:
    for day, text in (("03", "later"), ("02", "earlier")):
        folder = tmp_path / day / "submitted" / "ada" / "backward"
        folder.mkdir(parents=True)
        (folder / "backward.ipynb").write_bytes(notebook(text=text))
        (folder / "timestamp.txt").write_text(f"2026-11-{day} 09:30:00.000000 UTC")
        found = collect(course, "backward", tmp_path / day)
        assert found.platform == "nbgrader"
    assert found.rows[0].outcome == "kept"
    assert b"later" in content(course, "ada")


def test_names_never_become_paths(course: Course, roster: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    names = [
        "../../x_101_1_backward.ipynb",
        "/etc/x_102_2_../../../backward.ipynb",
        "..\\x_103_3_a.ipynb",
        "x_104_4_\x1b[2J.ipynb",
    ]
    download = zipped(tmp_path / "evil.zip", {name: notebook() for name in names})
    found = collect(course, "backward", download, roster=roster, platform="canvas")
    inside = set(tmp_path.rglob("*")) - before - {download}
    assert all(path.is_relative_to(course.root) for path in inside)
    assert all("\x1b" not in text for row in found.rows for text in (row.who, row.source, *row.notes))


@pytest.mark.parametrize("place", [".dot_101_9_backward.ipynb", ".dot Müller_7_assignsubmission_file_/backward.ipynb"])
def test_a_name_that_begins_with_a_dot_is_a_students(place: str, tmp_path: Path) -> None:
    noise = ["._x_101_9_backward.ipynb", ".DS_Store", ".ipynb_checkpoints/backward.ipynb", "__MACOSX/a_1_2_b.ipynb"]
    path = zipped(tmp_path / "d.zip", {place: notebook(), **dict.fromkeys(noise, b"")})
    (upload,) = read_download(path).uploads
    assert upload.place == place and upload.person.name.startswith(".dot")


def test_a_bomb_a_link_and_a_password_are_reasons(tmp_path: Path) -> None:
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/bomb.ipynb", b"\0" * (30 * 2**20))
        link = zipfile.ZipInfo("b/link.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    reasons = [upload.file.reason for upload in read_download(path, "folder").uploads]
    assert reasons == ["it has more than 25 MB", "it is a link, which is not followed"]
    with pytest.raises(DownloadError, match="neither a folder nor a ZIP"):
        path.write_bytes(b"not a zip")
        read_download(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "no column that names a student"),
        ("student_id\n../eve\n", "cannot be a student's id"),
        ("student_id\nada\nada\n", "more than once"),
        ("PK\x03\x04xl/workbook.xml", "workbook or a ZIP"),
        ("student_id,name\nada," + "x" * 140_000, "no CSV"),
        ("", "Found: nothing"),
    ],
)
def test_a_class_list_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(CourseError, match=said):
        read_roster(path)


def test_a_class_list_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("student_id,name\nada,Müller\n".encode("latin-1"))
    with pytest.raises(CourseError, match="UTF-8"):
        read_roster(path)


def test_one_name_of_two_students_is_nobodys(course: Course) -> None:
    from bncourse.grading.submissions.downloads import Person

    match = Matcher([Member("a", "Lee", "Kim", lms_id="1"), Member("b", "Lee", "Kim", lms_id="2")])
    assert match(Person(name="kimlee", id="2")) == ("b", "")
    assert match(Person(name="kimlee"))[0] == ""
    assert letters("Nguyễn Văn A") == "nguyenvana"


def test_what_is_collected_is_in_the_gradebook(course: Course, roster: Path, tmp_path: Path) -> None:
    collect(course, "backward", zipped(tmp_path / "d.zip", {"x_101_1_b.ipynb": notebook()}), roster=roster)
    gradebook = open_gradebook(course)
    try:
        eva = gradebook.find_student("eva")
        assert (eva.first_name, eva.last_name, eva.lms_user_id) == ("Éva", "Müller", "101")
    finally:
        gradebook.close()


def test_semicolons_and_the_row_of_points_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("student_id;first_name;last_name\nada;Ada;L\n", encoding="utf-8")
    assert read_roster(path) == [Member("ada", "Ada", "L")]


def test_folders_are_read_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "d" / "ada").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(notebook())
    (tmp_path / "d" / "ada" / "backward.ipynb").symlink_to(tmp_path / "secret")
    (upload,) = read_download(tmp_path / "d", "folder").uploads
    assert "link" in upload.file.reason


@pytest.mark.parametrize("platform", ["folder", "github", "moodle", "nbgrader", None])
@pytest.mark.parametrize("level", ["zoe", "zoe/backward"])
def test_a_linked_folder_in_a_download_is_followed_on_no_level_and_said(
    tmp_path: Path, platform: Any, level: str
) -> None:
    """Zoe's folder, or one in it, is a link to what the instructor has elsewhere, or to another student's."""
    for student in ("ada", "ben"):
        folder = tmp_path / "d" / student / "backward"
        folder.mkdir(parents=True)
        (folder / "backward.ipynb").write_bytes(notebook(text=student))
        (folder / "timestamp.txt").write_text("2027-01-01 00:00:00 UTC")
    link = tmp_path / "d" / level
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "d" / "ben" if level == "zoe" else tmp_path / "d" / "ben" / "backward")
    found = read_download(tmp_path / "d", platform)
    said = [upload.file.reason for upload in found.uploads if "zoe" in str(upload)] + list(found.unused)
    assert any("is a link, which is not followed" in each for each in said) or platform == "moodle"
    assert not [u for u in found.uploads if u.file.content and u.person.login == "zoe"]


def test_a_linked_folder_is_not_taken_and_the_class_hears_why(course: Course, tmp_path: Path) -> None:
    (tmp_path / "d" / "ada").mkdir(parents=True)
    (tmp_path / "d" / "ada" / "backward.ipynb").write_bytes(notebook())
    (tmp_path / "d" / "eve").symlink_to(tmp_path / "d" / "ada")
    found = collect(course, "backward", tmp_path / "d")
    assert rows(found)["ada"].outcome == "taken"
    assert rows(found)["eve"].outcome == "not taken"
    assert "the folder eve is a link, which is not followed" in " ".join(rows(found)["eve"].notes)
    assert not course.folder("submitted", "backward", "eve").exists()


@pytest.mark.parametrize("level", [0, 1])
def test_nothing_is_written_through_a_link_in_the_course(course: Course, tmp_path: Path, level: int) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = course.folder("submitted", "backward", "ada")
    link = [target.parent, target][level]
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    found = collect(course, "backward", zipped(tmp_path / "d.zip", {"ada/backward.ipynb": notebook()}))
    assert rows(found)["ada"].outcome == "not taken" and "is a link" in rows(found)["ada"].notes[0]
    assert list(elsewhere.iterdir()) == []


def test_zip_of_one_wrapper_folder_is_unwrapped(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("all/x_101_1_backward.ipynb", notebook())
        archive.writestr("all/y_102_2_backward.ipynb", notebook())
        archive.writestr("__MACOSX/all/._x", b"")
    path = tmp_path / "d.zip"
    path.write_bytes(buffer.getvalue())
    assert read_download(path).platform == "canvas"


def test_without_a_class_list_newcomers_are_taken_until_a_list_is_given(
    course: Course, roster: Path, tmp_path: Path
) -> None:
    first = {"doejane_201_1_backward.ipynb": notebook(text="a"), "roebo_202_2_backward.ipynb": notebook(text="b")}
    collect(course, "backward", zipped(tmp_path / "1.zip", first))
    found = rows(
        collect(
            course,
            "backward",
            zipped(
                tmp_path / "2.zip",
                {
                    "doejane_201_3_backward-1.ipynb": notebook(text="c"),
                    "newnora_203_4_backward.ipynb": notebook(text="d"),
                },
            ),
        )
    )
    assert {who: row.outcome for who, row in found.items()} == {"doejane-201": "taken", "newnora-203": "taken"}
    assert {member.student for member in known_members(course)} == {"doejane-201", "newnora-203", "roebo-202"}
    late = {"zackzoe_204_5_backward.ipynb": notebook(), "mullereva_101_6_backward.ipynb": notebook(text="e")}
    closed = collect(course, "backward", zipped(tmp_path / "3.zip", late), roster=roster)
    assert [row.notes for row in closed.rows if not row.student] == [("not in the class list",)]
    again = collect(course, "backward", zipped(tmp_path / "4.zip", late))
    assert [row.outcome for row in again.rows] == ["not taken", "unchanged"]


def test_what_a_student_calls_metadata_says_nothing_of_others(course: Course, tmp_path: Path) -> None:
    people = {"ada": "submission_1", "eve": "submission_2"}
    metadata = {place: {":submitters": [{":name": who, ":email": f"{who}@x.edu"}]} for who, place in people.items()}
    forged = {"submission_1": {":submitters": [{":name": "eve", ":email": "eve@x.edu"}]}}
    download = zipped(
        tmp_path / "export.zip",
        {
            "export/submission_metadata.yml": yaml.safe_dump(metadata).encode(),
            "export/submission_1/backward.ipynb": notebook(text="of ada"),
            "export/submission_2/backward.ipynb": notebook(text="of eve"),
            "export/submission_2/submission_metadata.yml": yaml.safe_dump(forged).encode(),
        },
    )
    collect(course, "backward", download)
    assert b"of ada" in content(course, "ada")
    assert b"of eve" in content(course, "eve")
