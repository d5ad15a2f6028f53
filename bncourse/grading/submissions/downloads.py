"""A platform's download, a ZIP or a folder, becomes a list of uploads: who handed in which file, when, and its bytes.

Recognized by their form are Canvas, Moodle, Gradescope, GitHub Classroom, nbgrader's own layout, and folders or files
named after students. Names in a download are text to be matched, and never paths to be written to.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from bncourse.grading.core.plain_text import inert
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.unpack import CANVAS, MOODLE, DownloadError, File, files_of

Platform = Literal["canvas", "moodle", "gradescope", "github", "nbgrader", "folder"]
PLATFORMS: tuple[Platform, ...] = get_args(Platform)

_TIMESTAMP = "timestamp.txt"
_METADATA = ("submission_metadata.yml", "submission_metadata.yaml")


class Person(NamedTuple):
    """What a platform says about the person who handed something in; empty where it says nothing."""

    name: str = ""
    """As the platform writes it: Canvas runs family and first name together, in small letters."""
    id: str = ""
    """The platform's own number."""
    login: str = ""
    """A user name, or the name of the folder."""
    email: str = ""
    folder: str = ""
    """A longer name that ends in the login: logins of one class may begin alike, as `uni-ada` and `uni-eva` do."""


class Upload(NamedTuple):
    """One file of one person."""

    person: Person
    name: str
    """The file's own name."""
    file: HandedIn
    time: datetime | None = None
    late: bool = False
    """Whether the platform calls it late."""
    order: tuple[int, ...] = ()
    """Later uploads of a person have the larger order."""
    place: str = ""
    """Where it stands in the download, by which some platforms take a file back."""


class Download(NamedTuple):
    """What was found in a ZIP or a folder."""

    platform: Platform
    uploads: tuple[Upload, ...]
    unused: tuple[str, ...]
    """Files that belong to nobody, each with its reason."""


def read_download(path: Path, platform: Platform | None = None) -> Download:
    """Read what a platform lets an instructor download.

    Parameters
    ----------
    path : Path
        A ZIP file, or a folder.
    platform : str, optional
        How to read it; if left out, its form decides.

    Raises
    ------
    DownloadError
        If it is neither a ZIP nor a folder, is damaged, or unpacks to more than 2 GB.
    """
    files = list(files_of(path))
    while _is_wrapped(files):
        files = [File(file.parts[1:], file.content) for file in files]
    platform = platform or _platform_of(files)
    uploads, unused = _READERS[platform](files)
    return Download(platform, tuple(uploads), tuple(unused))


def _is_wrapped(files: Sequence[File]) -> bool:
    """Whether one folder stands around all: not where it is a student's."""
    if len({file.parts[0] for file in files}) != 1 or any(len(file.parts) == 1 for file in files):
        return False
    nbgraders = any(file.parts[-1] == _TIMESTAMP and len(file.parts) == 3 for file in files)
    deep = any(len(file.parts) > 2 or CANVAS.fullmatch(file.parts[-1]) for file in files)
    return deep and not nbgraders and not MOODLE.fullmatch(files[0].parts[0])


def _platform_of(files: Sequence[File]) -> Platform:
    if any(_is_metadata(file) for file in files):
        return "gradescope"
    if _most(files, lambda parts: MOODLE.fullmatch(parts[0])):
        return "moodle"
    if _most(files, lambda parts: len(parts) == 1 and CANVAS.fullmatch(parts[0])):
        return "canvas"
    if _most(files, lambda parts: len(parts) == 3) and any(file.parts[-1] == _TIMESTAMP for file in files):
        return "nbgrader"
    return "github" if _common_start(files) else "folder"


def _most(files: Sequence[File], fits: Any) -> bool:
    return bool(files) and 2 * sum(bool(fits(file.parts)) for file in files) > len(files)


def _canvas(files: Sequence[File]) -> tuple[list[Upload], list[str]]:
    """`family-and-first-name_LATE_user-id_attachment-id_file-name`, all in one folder."""
    uploads, unused = [], []
    for file in files:
        found = CANVAS.fullmatch(file.parts[-1])
        if found is None:
            unused.append(f"{inert('/'.join(file.parts), 200)}: not named as Canvas names uploads")
            continue
        person = Person(name=found["name"], id=found["id"])
        order = (int(found["attachment"]),)
        late = found["late"] is not None
        uploads.append(Upload(person, found["file"], file.content, late=late, order=order, place=file.parts[-1]))
    return uploads, unused


def _moodle(files: Sequence[File]) -> tuple[list[Upload], list[str]]:
    """`Full Name_participant-id_assignsubmission_file_`, as a folder or as the start of the file's name."""
    uploads, unused = [], []
    for file in files:
        found = MOODLE.fullmatch(file.parts[0])
        if found is None or (len(file.parts) == 1 and not found["file"]):
            unused.append(f"{inert('/'.join(file.parts), 200)}: not named as Moodle names uploads")
            continue
        name = file.parts[-1] if len(file.parts) > 1 else found["file"]
        person = Person(name=found["name"], id=found["id"])
        uploads.append(Upload(person, name, file.content, place="/".join(file.parts)))
    return uploads, unused


def _gradescope(files: Sequence[File]) -> tuple[list[Upload], list[str]]:
    """A folder for each submission, and submission_metadata.yml, which says whose they are and when they came.

    Only the one beside the folders is Gradescope's; one in a folder was handed in.
    """
    import yaml

    known: dict[str, tuple[list[Person], datetime | None]] = {}
    for file in files:
        if _is_metadata(file):
            try:
                facts = yaml.safe_load(file.content.content.decode("utf-8", "replace").replace("!ruby", "# "))
            except (yaml.YAMLError, RecursionError) as error:
                raise DownloadError(
                    f"{file.parts[-1]} is not YAML that can be read: {inert(str(error), 200)}"
                ) from error
            for folder, entry in facts.items() if isinstance(facts, dict) else ():
                known[str(folder)] = _submitters(entry)
    uploads, unused = [], []
    for file in files:
        if _is_metadata(file):
            continue
        people, time = known.get(file.parts[0], ([], None))
        if not people:
            unused.append(f"{inert('/'.join(file.parts), 200)}: the metadata name nobody for this folder")
        uploads += [Upload(person, file.parts[-1], file.content, time) for person in people]
    return uploads, unused


def _is_metadata(file: File) -> bool:
    return len(file.parts) == 1 and file.parts[0] in _METADATA


def _submitters(entry: Any) -> tuple[list[Person], datetime | None]:
    """Everybody of a group has handed in the file; Ruby's symbols are read as keys with a colon before them."""
    entry = entry if isinstance(entry, dict) else {}
    listed = entry.get(":submitters") or entry.get("submitters") or []
    people = []
    for one in listed if isinstance(listed, list) else ():
        facts = (
            {str(key).lstrip(":"): str(value) for key, value in one.items() if value} if isinstance(one, dict) else {}
        )
        people.append(Person(name=facts.get("name", ""), id=facts.get("sid", ""), email=facts.get("email", "")))
    time = entry.get(":created_at") or entry.get("created_at")
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time.replace(" UTC", "+00:00"))
        except ValueError:
            time = None
    if not isinstance(time, datetime):
        return people, None
    return people, time if time.tzinfo else time.replace(tzinfo=UTC)


def _common_start(files: Sequence[File]) -> str:
    """`assignment-`, with which all folders of GitHub Classroom begin; empty if they do not."""
    folders = sorted({file.parts[0] for file in files if len(file.parts) > 1})
    if len(folders) < 2 or any(len(file.parts) == 1 for file in files):
        return ""
    first, last = folders[0], folders[-1]
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[: first.rfind("-", 0, same) + 1]


def _github(files: Sequence[File]) -> tuple[list[Upload], list[str]]:
    start = _common_start(files)
    uploads, unused = [], []
    for file in files:
        if len(file.parts) == 1:
            unused.append(f"{inert(file.parts[0], 200)}: not in a student's folder")
        else:
            person = Person(login=file.parts[0].removeprefix(start), folder=file.parts[0])
            uploads.append(Upload(person, file.parts[-1], file.content))
    return uploads, unused


def _nbgrader(files: Sequence[File]) -> tuple[list[Upload], list[str]]:
    """`student/assignment/file`, with a timestamp beside, as nbgrader collects them."""
    times = {file.parts[:2]: _time(file.content) for file in files if file.parts[-1] == _TIMESTAMP}
    uploads, unused = [], []
    for file in files:
        if len(file.parts) != 3:
            why = file.content.reason or "not student/assignment/file"
            unused.append(f"{inert('/'.join(file.parts), 200)}: {why}")
        elif file.parts[-1] != _TIMESTAMP:
            uploads.append(Upload(Person(login=file.parts[0]), file.parts[-1], file.content, times.get(file.parts[:2])))
    return uploads, unused


def _time(file: HandedIn) -> datetime | None:
    from nbgrader.utils import parse_utc

    try:
        time: datetime = parse_utc(file.content[:100].decode().strip())
    except (ValueError, OverflowError):
        return None
    return time.replace(tzinfo=UTC)


def _folder(files: Sequence[File]) -> tuple[list[Upload], list[str]]:
    """A folder for each student, or a file for each, named after them."""
    uploads = []
    for file in files:
        login = file.parts[0] if len(file.parts) > 1 else Path(file.parts[0]).stem
        uploads.append(Upload(Person(login=login), file.parts[-1], file.content))
    return uploads, []


_READERS: Mapping[str, Any] = {
    "canvas": _canvas,
    "moodle": _moodle,
    "gradescope": _gradescope,
    "github": _github,
    "nbgrader": _nbgrader,
    "folder": _folder,
}
