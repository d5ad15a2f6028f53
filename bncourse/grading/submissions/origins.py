"""Where each submission came from, kept so that marks and pages go back to a platform under the names it gave."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bncourse.grading.authoring.course import Course, write

FILE = "collected.json"


class Origin(NamedTuple):
    """Of which download a submission is, and under which name it stood there."""

    platform: str
    id: str
    """The platform's number of the student; Moodle gives another one in each assignment."""
    place: str
    """The file's path in the download."""


def read_origins(course: Course, assignment: str) -> dict[str, Origin]:
    """Return what collecting has noted, by student; empty where nothing was collected."""
    try:
        noted = json.loads(_path(course, assignment).read_bytes())
        return {str(student): Origin(*(str(fact) for fact in facts)) for student, facts in noted.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def note_origins(course: Course, assignment: str, origins: Mapping[str, Origin]) -> None:
    """Note where submissions came from, beside what was noted before."""
    before = read_origins(course, assignment)
    after = {**before, **origins}
    if after != before:
        text = json.dumps(after, indent=1, sort_keys=True, ensure_ascii=False)
        write(_path(course, assignment), (text + "\n").encode("utf-8", "surrogateescape"))


def _path(course: Course, assignment: str) -> Path:
    return course.results(assignment) / FILE
