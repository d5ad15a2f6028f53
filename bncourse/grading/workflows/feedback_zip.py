"""Feedback pages in; one ZIP out that a platform takes apart by itself, or pages to mail under unguessable names."""

import io
import json
import secrets
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.reports.class_lines import Line, class_lines
from bncourse.grading.reports.spreadsheet import csv_bytes
from bncourse.grading.submissions.origins import Origin, read_origins
from bncourse.grading.submissions.unpack import CANVAS, MOODLE
from bncourse.grading.workflows.feedback import page_exists

Kind = Literal["canvas", "moodle", "mail"]
NAMES = "page_names.json"
"""The file in an assignment's results that keeps the unguessable names, so that a link stays right."""
_FIRST = (1980, 1, 1, 0, 0, 0)
"""The time of all files in a ZIP, so that the same pages make the same bytes."""


class Packed(NamedTuple):
    """What was written."""

    path: Path
    pages: int
    by_mail: tuple[str, ...] = ()
    """Students whose page the platform would hand to nobody, because they did not hand in there."""
    mail_zip: Path | None = None
    mail_list: Path | None = None


def pack_feedback(course: Course, assignment: str, kind: Kind) -> Packed:
    """Put the feedback pages into a ZIP, each under the name by which it goes back to its student.

    Parameters
    ----------
    course, assignment
        Whose pages; they are made before, by `make_feedback`.
    kind : {"canvas", "moodle", "mail"}
        Canvas takes a page back under the name of the file that was handed in, Moodle under its folder. Of students
        who did not hand in there, and with `mail` of everybody, the pages get unguessable names, and a list beside
        the ZIP says whose each is.

    Raises
    ------
    CourseError
        If there is no page.
    """
    lines = {
        line.student: line for line in class_lines(course, assignment) if page_exists(course, assignment, line.student)
    }
    if not lines:
        raise CourseError(f"There is no feedback on {assignment} yet. Type first: bncourse feedback {assignment}")
    origins = read_origins(course, assignment) if kind != "mail" else {}
    places = {who: place for who in lines if (place := _place(kind, origins.get(who), assignment))}
    counts = Counter(places.values())
    places = {who: place for who, place in places.items() if counts[place] == 1}
    rest = tuple(who for who in lines if who not in places)
    folder = course.results(assignment)
    path = folder / f"feedback-{kind}.zip"
    if kind == "mail":
        listed = _mail(course, assignment, lines, path)
        return Packed(path, len(lines), (), path, listed)
    if not places:
        raise CourseError(
            f"No submission of {assignment} was collected from {kind.capitalize()}, so it would hand the pages to "
            "nobody. Type instead: --zip mail"
        )
    _zip(course, assignment, places, path)
    if not rest:
        return Packed(path, len(places))
    mail = folder / "feedback-mail.zip"
    return Packed(path, len(places), rest, mail, _mail(course, assignment, {who: lines[who] for who in rest}, mail))


def _place(kind: Kind, origin: Origin | None, assignment: str) -> str:
    """The page's name in the ZIP; empty where the platform would hand it to nobody.

    >>> _place("canvas", Origin("canvas", "7", "leekim_LATE_7_91_my backward.ipynb"), "backward")
    'leekim_LATE_7_91_backward.html'
    >>> _place("moodle", Origin("moodle", "8", "Kim Lee_8_assignsubmission_file_/x.ipynb"), "backward")
    'Kim Lee_8_assignsubmission_file_/backward.html'
    """
    if origin is None or origin.platform != kind:
        return ""
    first, *rest = origin.place.split("/")
    found = (CANVAS if kind == "canvas" else MOODLE).fullmatch(first)
    if found is None or (kind == "moodle" and found["kind"] != "file"):
        return ""
    start = first[: found.start("file")]
    return f"{start}/{assignment}.html" if rest else f"{start}{assignment}.html"


def _mail(course: Course, assignment: str, lines: Mapping[str, Line], path: Path) -> Path:
    """Write pages with unguessable names, and beside them, never among them, the list of whose each is."""
    noted = course.results(assignment) / NAMES
    try:
        names = {str(who): str(name) for who, name in json.loads(noted.read_bytes()).items()}
    except (OSError, ValueError, AttributeError):
        names = {}
    names |= {who: f"{secrets.token_hex(16)}.html" for who in lines if who not in names}
    write(noted, json.dumps(names, indent=1, sort_keys=True).encode())
    _zip(course, assignment, {who: names[who] for who in lines}, path)
    listed = path.with_suffix(".csv")
    rows = [[line.student, line.first, line.last, line.email, names[who]] for who, line in sorted(lines.items())]
    write(listed, b"\xef\xbb\xbf" + csv_bytes(["id", "first_name", "last_name", "email", "page"], rows))
    return listed


def _zip(course: Course, assignment: str, places: Mapping[str, str], path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for student, place in sorted(places.items()):
            page = course.notebook("feedback", assignment, student).with_suffix(".html")
            entry = zipfile.ZipInfo(place, _FIRST)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, page.read_bytes())
    write(path, buffer.getvalue())
