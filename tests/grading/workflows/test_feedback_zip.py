import csv
import zipfile
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.submissions.origins import Origin, note_origins
from bncourse.grading.workflows.feedback_zip import pack_feedback
from bncourse.grading.workflows.roster import Member, enter_members


@pytest.fixture
def with_pages(course: Course) -> Course:
    """Three graded students with a page each."""
    enter_members(course, [Member("ann", "Ann", "Lee", "a@x.edu"), Member("bo", "=Bo", "Kim", "b@x.edu"), Member("cy")])
    with GradebookWriter(course, course.master("backward")) as writer:
        for student in ("ann", "bo", "cy"):
            writer.put(SubmissionRecord(student, "backward", "wrong", ()), "", [])
            page = course.notebook("feedback", "backward", student).with_suffix(".html")
            page.parent.mkdir(parents=True)
            page.write_text(f"page of {student}")
    return course


def contents(path: Path | None) -> dict[str, str]:
    assert path is not None
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_canvas_gets_pages_under_the_names_of_what_was_handed_in(with_pages: Course) -> None:
    origins = {
        "ann": Origin("canvas", "101", "leeann_101_9001_my_backward-1.ipynb"),
        "bo": Origin("canvas", "102", "kimbo_LATE_102_9002_backward.ipynb"),
    }
    note_origins(with_pages, "backward", origins)
    packed = pack_feedback(with_pages, "backward", "canvas")
    assert contents(packed.path) == {
        "leeann_101_9001_backward.html": "page of ann",
        "kimbo_LATE_102_9002_backward.html": "page of bo",
    }
    assert packed.by_mail == ("cy",)
    assert list(contents(packed.mail_zip).values()) == ["page of cy"]


def test_moodle_gets_pages_in_the_folders_of_what_was_handed_in(with_pages: Course) -> None:
    origins = {
        "ann": Origin("moodle", "1", "Group A-Ann Lee_1_assignsubmission_file_/backward.ipynb"),
        "bo": Origin("moodle", "2", "Bo Kim_2_assignsubmission_file_backward.ipynb"),
        "cy": Origin("moodle", "3", "王 小明_3_assignsubmission_file_/sub/x.ipynb"),
    }
    note_origins(with_pages, "backward", origins)
    packed = pack_feedback(with_pages, "backward", "moodle")
    assert contents(packed.path) == {
        "Group A-Ann Lee_1_assignsubmission_file_/backward.html": "page of ann",
        "Bo Kim_2_assignsubmission_file_backward.html": "page of bo",
        "王 小明_3_assignsubmission_file_/backward.html": "page of cy",
    }
    assert packed.by_mail == () and packed.mail_list is None


def test_two_students_with_one_upload_get_their_pages_by_mail(with_pages: Course) -> None:
    one = Origin("canvas", "101", "group_101_9001_x.ipynb")
    note_origins(with_pages, "backward", {"ann": one, "bo": one, "cy": one._replace(place="cy_103_9_x.ipynb")})
    packed = pack_feedback(with_pages, "backward", "canvas")
    assert list(contents(packed.path)) == ["cy_103_9_backward.html"] and packed.by_mail == ("ann", "bo")


def test_names_for_mail_are_unguessable_stay_and_are_listed_beside(with_pages: Course) -> None:
    packed = pack_feedback(with_pages, "backward", "mail")
    pages = contents(packed.path)
    assert packed.mail_list is not None
    content = packed.mail_list.read_text("utf-8-sig")
    rows = list(csv.DictReader(content.splitlines()))
    assert [(row["id"], row["first_name"], row["email"]) for row in rows] == [
        ("ann", "Ann", "a@x.edu"), ("bo", "'=Bo", "b@x.edu"), ("cy", "", ""),
    ]  # fmt: skip
    assert [pages[row["page"]] for row in rows] == ["page of ann", "page of bo", "page of cy"]
    assert all(len(name) >= 20 for name in pages) and len(set(pages)) == 3
    before = packed.path.read_bytes()
    assert pack_feedback(with_pages, "backward", "mail").path.read_bytes() == before


def test_a_platform_from_which_nothing_came_is_refused(with_pages: Course) -> None:
    with pytest.raises(CourseError, match="--zip mail"):
        pack_feedback(with_pages, "backward", "canvas")
