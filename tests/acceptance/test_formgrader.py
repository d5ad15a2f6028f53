"""Formgrader opens on what was graded, in a Jupyter that is started in assignments/."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.gradebook.by_hand import give
from bncourse.grading.gradebook.records_table import kept_records
from tests.conftest import copied
from tests.grading.formgrader import TOKEN, formgrader_of
from tests.grading.marking.conftest import groups_now

pytestmark = pytest.mark.sandbox

Get = Callable[..., str]


@pytest.fixture(scope="module")
def formgrader(graded_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Course, Get]]:
    folder = tmp_path_factory.mktemp("formgrader")
    course = copied(graded_course, folder)
    with formgrader_of(course, folder) as address:
        cookies = CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))

        def get(page: str, *, post: bool = False) -> str:
            request = urllib.request.Request(f"{address}{page}", method="POST" if post else "GET")
            request.add_header("Authorization", f"token {TOKEN}")
            for cookie in cookies:
                if cookie.name == "_xsrf":
                    request.add_header("X-XSRFToken", str(cookie.value))
            with opener.open(request, timeout=120) as answer:
                return str(answer.read().decode())

        get("gradebook")
        yield course, get


@pytest.mark.parametrize(
    "page",
    ["manage_assignments", "gradebook", "gradebook/backward", "gradebook/backward/backward", "manage_students"],
)
def test_its_pages_open(formgrader: tuple[Course, Get], page: str) -> None:
    text = formgrader[1](page)
    assert "<title>" in text and "not a subdirectory" not in text


def test_it_lists_the_class_with_its_marks(formgrader: tuple[Course, Get], graded_course: Course) -> None:
    listed = {each["student"]: each["score"] for each in json.loads(formgrader[1]("api/submissions/backward"))}
    assert listed == {name: kept.record.score for name, kept in kept_records(graded_course, "backward").items()}


def test_a_submission_shows_verdicts_and_no_hidden_test(formgrader: tuple[Course, Get]) -> None:
    course, get = formgrader
    notebooks = {each["student"]: each for each in json.loads(get("api/submitted_notebooks/backward/backward"))}
    assert notebooks["sven"]["flagged"] and notebooks["boris"]["needs_manual_grade"]
    page = get(f"submissions/{notebooks['dora']['id']}/")
    message = kept_records(course, "backward")["dora"].record.verdicts[7].message.splitlines()[0]
    assert message in page and "HIDDEN" not in page
    assert not re.search(r"<script>alert", page)


def test_a_mark_by_question_stands_in_formgrader_with_its_comment(formgrader: tuple[Course, Get]) -> None:
    course, get = formgrader
    notebook = next(
        each for each in json.loads(get("api/submitted_notebooks/backward/backward")) if each["student"] == "boris"
    )
    group = next(each for each in groups_now(course, "proof") if "boris" in each.marks)
    give(course, "backward", "proof", {"boris": group.marks["boris"]}, 1.5, "Which sum is zero?")
    grades = {each["name"]: each for each in json.loads(get(f"api/grades?submission_id={notebook['id']}"))}
    assert (grades["proof"]["manual_score"], grades["proof"]["needs_manual_grade"]) == (1.5, False)
    comments = {
        each["name"]: each["manual_comment"] for each in json.loads(get(f"api/comments?submission_id={notebook['id']}"))
    }
    assert comments["proof"] == "Which sum is zero?"


def test_its_autograde_button_grades_with_our_engine(formgrader: tuple[Course, Get]) -> None:
    course, get = formgrader
    before = kept_records(course, "backward")["georg"].record
    answer = json.loads(get("api/submission/backward/georg/autograde", post=True))
    assert answer["success"], answer
    after = kept_records(course, "backward")["georg"].record
    assert [(v.outcome, v.points, v.message) for v in after.verdicts] == [
        (v.outcome, v.points, v.message) for v in before.verdicts
    ]
    assert Path(course.notebook("autograded", "backward", "georg")).is_file()
