"""A course in; the address of the site with the book out, for links in feedback."""

import re
from typing import Any

import yaml

from bncourse.grading.authoring.course import Course, CourseError, write

FILE = "book_address.txt"
"""Where a course folder keeps what `bncourse feedback --book` was told."""
_ADDRESS = re.compile(r"(https?|file)://[^\s\"'<>]{1,300}")


def book_address(course: Course) -> str:
    """Where the book lies: as the course folder remembers it, or as `_config.yml` has it; empty where nobody said."""
    try:
        said = (course.root / FILE).read_text(encoding="utf-8").strip()
    except OSError:
        said = _published(course)
    return said if _ADDRESS.fullmatch(said) else ""


def remember_book_address(course: Course, address: str) -> None:
    """Keep the address in the course folder.

    Raises
    ------
    CourseError
        If it is no address.
    """
    if not _ADDRESS.fullmatch(address):
        raise CourseError(
            f"{address!r} is no address. Expected the site with the book, such as https://example.org/bn."
        )
    write(course.root / FILE, f"{address.rstrip('/')}\n".encode())


def _published(course: Course) -> str:
    """What the book's own settings say, which lie two folders above the masters."""
    try:
        settings: Any = yaml.safe_load((course.masters.parents[1] / "_config.yml").read_text(encoding="utf-8"))
        said = settings["sphinx"]["config"]["course_addresses"]
        site, repository = str(said.get("site") or ""), str(said.get("repository") or "")
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return ""
    pages = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+?)(?:\.git)?/?", repository)
    home = ""
    if pages:
        owner, name = pages[1].lower(), pages[2]
        home = f"https://{owner}.github.io" + ("" if name.lower() == f"{owner}.github.io" else f"/{name}")
    return site.rstrip("/") or home
