"""A platform's download becomes the `submitted` folder of a course: who handed in what, and why anything was not taken.

A notebook is known by its metadata, whatever its name; a student by the class list. Nothing that is newer is
overwritten, and collecting the same download again changes nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.core.plain_text import one_line
from bncourse.grading.gradebook.records_table import open_gradebook
from bncourse.grading.submissions.beside import handed_in_at, small_file
from bncourse.grading.submissions.downloads import Person, Platform, Upload, read_download
from bncourse.grading.submissions.files import read_file
from bncourse.grading.submissions.origins import Origin, note_origins, read_origins
from bncourse.grading.submissions.unpack import DownloadError
from bncourse.grading.workflows.choose_upload import MODULE, UploadProcess, choose
from bncourse.grading.workflows.roster import (
    UNKNOWN,
    Matcher,
    Member,
    enter_members,
    id_of,
    is_open,
    known_members,
    read_roster,
    set_open,
)

TIMESTAMP = "timestamp.txt"


class Collected(NamedTuple):
    """What became of one person's uploads."""

    student: str
    """The id in the gradebook; empty where nobody of the class list was found."""
    who: str
    """As the platform writes it."""
    outcome: str
    """`taken`, `unchanged`, `kept` (what was there is newer) or `not taken`."""
    source: str
    """The file, as it was named."""
    notes: tuple[str, ...] = ()
    place: str = ""
    """Where the file stood in the download."""
    id: str = ""
    """The platform's number of the student."""


class Collection(NamedTuple):
    """What a run did."""

    platform: Platform
    rows: tuple[Collected, ...]
    unused: tuple[str, ...]
    """Files that belong to nobody."""
    missing: tuple[str, ...]
    """Students of the class list of whom nothing was found."""


class _Found(NamedTuple):
    """Everything that one student handed in; of somebody who is not in the class list, what one person did."""

    student: str
    reason: str
    """Why it is nobody's."""
    people: list[Person]
    """As the platform names the student: mostly in one way."""
    uploads: list[Upload]


def collect(
    course: Course, assignment: str, path: Path, *, roster: Path | None = None, platform: Platform | None = None
) -> Collection:
    """Put what a platform lets an instructor download into the course's `submitted` folder.

    Parameters
    ----------
    course, assignment
        Where to.
    path : Path
        The download: a ZIP file or a folder.
    roster : Path, optional
        A class list, which is entered into the gradebook first. Without one, the gradebook's students are the list.
        As long as no list was ever given, everybody in a download is entered, newcomers of a later one too.
    platform : str, optional
        If left out, the download's form decides.

    Raises
    ------
    CourseError
        If the download or the class list cannot be read, or there is no such assignment.
    """
    course.require_gradebook(assignment)
    if roster is not None:
        enter_members(course, read_roster(roster))
        set_open(course, is_open=False)
    newcomers = is_open(course)
    members, gone = known_members(course), known_members(course, dropped=True)
    try:
        download = read_download(path, platform)
    except DownloadError as error:
        raise CourseError(str(error)) from error
    people: dict[Person, list[Upload]] = defaultdict(list)
    for upload in download.uploads:
        people[upload.person].append(upload)
    match = Matcher([*members, *gone])
    dropped = {member.student for member in gone}
    due = due_date(course, assignment)
    found: dict[str | Person, _Found] = {}
    entered = {}
    for person, uploads in people.items():
        student, reason = match(person)
        new = not student and newcomers and reason == UNKNOWN
        if new:
            student = id_of(person)
            reason = "" if student else "the platform says nothing from which an id could be made"
        if student in dropped:
            student, reason = "", f"{student} was dropped; to take them in again: bncourse roster restore {student}"
        if student and new:
            entered[student] = Member(student, last=person.name, email=person.email, lms_id=person.id)
        one = found.setdefault(student or person, _Found(student, reason, [], []))
        one.people.append(person)
        one.uploads.extend(uploads)
    with UploadProcess() as process:
        rows = [_collected(course, assignment, due, process, one) for one in found.values()]
    if entered:
        enter_members(course, entered.values())
        set_open(course, is_open=True)
    note_origins(course, assignment, _origins(download.platform, rows, read_origins(course, assignment)))
    there = {row.student for row in rows if row.outcome != "not taken"}
    missing = tuple(sorted({member.student for member in members} - there))
    return Collection(download.platform, tuple(rows), download.unused, missing)


def _origins(platform: Platform, rows: Sequence[Collected], before: Mapping[str, Origin]) -> dict[str, Origin]:
    """Where the submissions that lie there now came from; of one that was kept, only where nothing is known of it."""
    return {
        row.student: Origin(platform, row.id, row.place)
        for row in rows
        if row.outcome in ("taken", "unchanged") or (row.outcome == "kept" and row.student not in before)
    }


def _collected(
    course: Course, assignment: str, due: datetime | None, process: UploadProcess, found: _Found
) -> Collected:
    """Choose a student's notebook, and put it where it belongs."""
    student, uploads = found.student, found.uploads
    who, *others = [one_line(" ".join(filter(None, person[:4])), 80) for person in found.people]
    chosen, notes = choose(process, assignment, uploads)
    notes = (*notes, *(f"{other} is the same student" for other in others))
    source = one_line(chosen.name, 120) if chosen else ""
    if chosen is None or not student:
        return Collected(student, who, "not taken", source, tuple(filter(None, (found.reason, *notes))))
    time, told = _time_of(due, chosen)
    target = course.notebook("submitted", assignment, student)
    linked = [part.name for part in (target.parent.parent, target.parent) if part.is_symlink()]
    if linked:
        notes = (f"the folder {linked[0]} in submitted is a link, which is not followed", *notes)
        return Collected(student, who, "not taken", source, notes)
    row = Collected(student, who, "taken", source, notes, chosen.place, chosen.person.id)
    there = read_file(target, course.root / "submitted")
    if there.content == chosen.file.content and not there.reason:
        return row._replace(outcome="unchanged")
    stamp = handed_in_at(small_file(course, assignment, student, TIMESTAMP))
    before = stamp and stamp.replace(tzinfo=UTC)
    if target.exists() and before and time and before > time:
        newer = f"what was there is newer: {before:%Y-%m-%d %H:%M} UTC"
        return row._replace(outcome="kept", notes=(*notes, newer))
    write(target, chosen.file.content)
    for upload in uploads:
        if MODULE.fullmatch(upload.name) and not upload.file.reason:
            write(target.with_name(upload.name), upload.file.content)
            notes = (*notes, f"{upload.name} taken along")
    if time:
        write(target.with_name(TIMESTAMP), f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC".encode())
    return row._replace(notes=tuple(filter(None, (*notes, told))))


def _time_of(due: datetime | None, upload: Upload) -> tuple[datetime | None, str]:
    """When an upload came: the platform's time; if it only says "late", a second after the assignment was due."""
    if upload.time or not upload.late:
        return upload.time, ""
    if due is None:
        return None, "late by the platform, and no due date is known here: set one, then collect again"
    return due + timedelta(seconds=1), "late by the platform, which does not say by how much"


def due_date(course: Course, assignment: str) -> datetime | None:
    """Return when the assignment is due, in UTC, as the gradebook says."""
    gradebook = open_gradebook(course)
    try:
        due: datetime | None = gradebook.find_assignment(assignment).duedate
    except Exception as error:
        if type(error).__name__ != "MissingEntry":
            raise
        return None
    finally:
        gradebook.close()
    return due.replace(tzinfo=UTC) if due else None
