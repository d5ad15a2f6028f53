"""A student's name is text, and nothing else, on the pages into which nbgrader writes it as it is."""

import unicodedata

import nbformat
import pytest
from nbgrader.api import Gradebook

from bncourse.grading.authoring.course import Course
from bncourse.grading.workflows.roster import Member, enter_members, known_members
from bncourse.grading.workflows.student_names import LONGEST, shown_name
from tests.grading.hostile_text import Page, mixture
from tests.grading.reports.test_safe_markdown import FACTS, LIVE, exporter

NAMES = (
    *LIVE,
    "<img src=x onerror=alert(1)>",
    "$\\href{javascript:alert(1)}{x}$",
    "$&#92;href{javascript:alert(1)}{x}$",
    "\\\\(&bsol;href{javascript:alert(1)}{x}\\\\)",
    "<\x00script>alert(1)</script>",
    "</a><iframe src=//e.org>",
)
HONEST = ("Ada", "Müller, Jr.", "O'Neill & Søn", "王小明", "نرگس\u200cجهان", "D'Arcy-Smith (née #5)", "Jean [JJ] < 3")


def page(last: str, first: str = "Bo") -> Page:
    """Formgrader's page of a submission of a student with this name."""
    resources = {"nbgrader": dict(FACTS), "base_url": "", "index": 0, "total": 1, "last_name": last}
    made = nbformat.v4.new_notebook()
    return Page(exporter("formgrade").from_notebook_node(made, resources | {"first_name": first})[0])


def test_no_name_is_live_on_formgraders_page() -> None:
    without = page("Ada")
    names = [*NAMES, *map(mixture, range(300))]
    shown = page(" ".join(map(shown_name, names)))
    assert [each for each in shown.foreign if each not in without.foreign] == []
    assert [shown_name(shown_name(name)) for name in names] == [shown_name(name) for name in names]
    live = page(" ".join(NAMES))
    assert [each for each in live.foreign if each not in without.foreign]


@pytest.mark.parametrize("name", HONEST)
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert shown_name(name) == name == unicodedata.normalize("NFC", name)


def test_a_name_of_a_class_list_is_stored_as_it_is_shown(course: Course) -> None:
    hostile = Member("eve", "<b>Eve</b>", "<img src=x onerror=alert(1)>", "e@x.edu")
    assert enter_members(course, [hostile]) == 1
    (found,) = known_members(course)
    assert (found.first, found.last) == ("< b>Eve< /b>", "< img src=x onerror=alert(1)>")
    assert enter_members(course, [hostile]) == 0, "the same list changes nothing"


def test_a_name_that_nbgrader_itself_enters_or_has_entered_before_is_harmless_too(course: Course) -> None:
    with Gradebook(course.db_url, "bncourse") as gradebook:
        gradebook.add_student("eve", first_name="<script>alert(1)</script>", last_name="x" * 3 * LONGEST)
        gradebook.update_or_create_student("eve", last_name="$\\href{x}{y}$")
        names = gradebook.db.connection().exec_driver_sql("select first_name, last_name from student").fetchall()
        assert names == [("< script>alert(1)< /script>", "$\\ href{x}{y}$")]
        gradebook.db.connection().exec_driver_sql("update student set last_name = '<img src=x>'")
        gradebook.db.commit()
    with Gradebook(course.db_url, "bncourse") as gradebook:
        assert gradebook.find_student("eve").last_name == "< img src=x>"
