"""Links in feedback lead where the course folder or the book's settings say that the book lies."""

from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.reports.book_address import book_address, remember_book_address

SETTINGS = (
    "sphinx:\n  config:\n    course_addresses: {{ repository: '{repository}', site: '{site}', jupyterhub: '' }}\n"
)


@pytest.fixture
def empty(tmp_path: Path) -> Course:
    """A course in a clone with no notebook."""
    masters = tmp_path / "assignments" / "masters"
    masters.mkdir(parents=True)
    return Course(tmp_path / "course", masters, "sqlite://")


def test_nobody_said(empty: Course) -> None:
    assert book_address(empty) == ""


@pytest.mark.parametrize(
    ("repository", "site", "address"),
    [
        ("", "", ""),
        ("", "https://example.org/bn/", "https://example.org/bn"),
        ("https://github.com/Some/bn.git", "", "https://some.github.io/bn"),
        ("https://github.com/Some/some.github.io", "", "https://some.github.io"),
        ("", "javascript:alert(1)", ""),
    ],
)
def test_the_books_settings_say_it(empty: Course, repository: str, site: str, address: str) -> None:
    settings = SETTINGS.format(repository=repository, site=site)
    (empty.masters.parents[1] / "_config.yml").write_text(settings)
    assert book_address(empty) == address


def test_the_course_folder_goes_first_and_refuses_what_is_no_address(empty: Course) -> None:
    remember_book_address(empty, "https://example.org/this-year/")
    assert book_address(empty) == "https://example.org/this-year"
    with pytest.raises(CourseError, match="no address"):
        remember_book_address(empty, "the hub")
