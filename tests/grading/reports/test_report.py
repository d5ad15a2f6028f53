import re
from html.parser import HTMLParser

import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.reports.class_lines import lines_of
from bncourse.grading.reports.report import histogram, misbeliefs, questions, write_report

pytestmark = pytest.mark.sandbox


def test_the_page_is_one_file_that_fetches_and_runs_nothing(graded_course: Course) -> None:
    page = write_report(graded_course, "backward").read_text()
    HTMLParser().feed(page)
    assert not re.search(r"<script|<link|<img|<iframe|src=|url\(|@import|https?://", page)


def test_beliefs_are_counted_once_a_student_with_where_they_show(graded_course: Course) -> None:
    found = {belief.id: belief for belief in misbeliefs(lines_of(graded_course, "backward"))}
    assert found["conv-reshape"].students == 1
    assert dict(found["conv-reshape"].questions) == {"test-conv-forward": 1, "test-conv-backward": 1}
    assert found["variance-path-missing"].sentence.startswith("Believes that")


def test_every_student_stands_in_one_bar(graded_course: Course) -> None:
    lines = lines_of(graded_course, "backward")
    bars = histogram(lines)
    assert sum(count for _, count, _ in bars) == len(lines)
    assert max(height for _, _, height in bars) == 1.0
    assert bars[0][1] == sum(line.score < 4 for line in lines)


def test_questions_add_up(graded_course: Course) -> None:
    lines = lines_of(graded_course, "backward")
    for question in questions(lines):
        assert sum(count for _, count in question.outcomes) == len(lines)
        assert 0 <= question.mean_points <= question.max_points


def test_students_who_need_a_look_are_named(graded_course: Course) -> None:
    page = write_report(graded_course, "backward").read_text()
    after = page.split("What needs a look")[1].split("Slowest")[0]
    assert {name for name in ("otto", "pia", "rosa", "sven", "tove") if f"<td>{name}</td>" in after} == {
        "otto",
        "pia",
        "rosa",
        "sven",
        "tove",
    }


def test_a_folder_is_no_place_for_the_page(graded_course: Course) -> None:
    with pytest.raises(CourseError, match="is a folder"):
        write_report(graded_course, "backward", graded_course.root)
