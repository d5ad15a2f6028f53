"""A platform's download, a ZIP or a folder, becomes a list of uploads: who handed in which file, when, and its bytes.

Recognized by their form are Canvas, Moodle, Gradescope, GitHub Classroom, nbgrader's own layout, and folders or files
named after students. Names in a download are text to be matched, and never paths to be written to.
"""

import re
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from os import walk
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from bncourse.grading.core.plain_text import inert
from bncourse.grading.submissions.files import MAX_BYTES, HandedIn, read_file

Platform = Literal["canvas", "moodle", "gradescope", "github", "nbgrader", "folder"]
PLATFORMS: tuple[Platform, ...] = get_args(Platform)

MAX_FILES = 50_000
MAX_IN_ALL = 2 * 2**30
"""Bytes that a download may unpack to."""

_NOISE = ("__MACOSX", "Thumbs.db", "desktop.ini")
CANVAS = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+)_(?P<attachment>\d+)_(?P<file>.+)", re.DOTALL)
MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)_?(?P<file>.*)", re.DOTALL)
"""How the two name what they let download, and by which they take a page back for the same student."""
_TIMESTAMP = "timestamp.txt"
_METADATA = ("submission_metadata.yml", "submission_metadata.yaml")


class DownloadError(ValueError):
    """A download that cannot be read, in one line that says what to do."""


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


class _File(NamedTuple):
    parts: tuple[str, ...]
    content: HandedIn


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
        If it is neither a ZIP nor a folder, is damaged, or unpacks to more than `MAX_IN_ALL` bytes.
    """
    files = list(_of_folder(path) if path.is_dir() else _of_zip(path))
    while _is_wrapped(files):
        files = [_File(file.parts[1:], file.content) for file in files]
    platform = platform or _platform_of(files)
    uploads, unused = _READERS[platform](files)
    return Download(platform, tuple(uploads), tuple(unused))


def _of_zip(path: Path) -> Iterator[_File]:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DownloadError(
            f"{inert(str(path))} is neither a folder nor a ZIP that can be read ({error}). Download it again, or "
            "unpack it and name the folder."
        ) from error
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MAX_FILES:
            raise DownloadError(f"{inert(path.name)} holds {len(members)} files. Expected at most {MAX_FILES}.")
        total = 0
        for member in members:
            parts = _parts(member.filename)
            if not parts or _is_noise(parts):
                continue
            content = _unpacked(archive, member)
            total += len(content.content)
            if total > MAX_IN_ALL:
                raise DownloadError(f"{inert(path.name)} unpacks to more than {MAX_IN_ALL >> 30} GB, and was not read.")
            yield _File(parts, content)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> HandedIn:
    """Unpack one file, to no more than `MAX_BYTES` whatever its entry promises."""
    if stat.S_ISLNK(member.external_attr >> 16):
        return HandedIn(b"", "it is a link, which is not followed")
    if member.flag_bits & 1:
        return HandedIn(b"", "it is protected by a password")
    try:
        with archive.open(member) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, NotImplementedError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        return HandedIn(b"", f"it cannot be unpacked ({type(error).__name__})")
    except Exception as error:  # zlib.error, lzma.LZMAError: each compressor has its own
        return HandedIn(b"", f"it cannot be unpacked ({type(error).__name__})")
    if len(content) > MAX_BYTES:
        return HandedIn(b"", f"it has more than {MAX_BYTES >> 20} MB")
    return HandedIn(content)


def _of_folder(path: Path) -> Iterator[_File]:
    count = 0
    for file in _files_below(path):
        parts = _parts(str(file.relative_to(path)))
        if not parts or _is_noise(parts):
            continue
        count += 1
        if count > MAX_FILES:
            raise DownloadError(f"{inert(str(path))} holds more than {MAX_FILES} files.")
        yield _File(parts, read_file(file, path))


def _files_below(path: Path) -> Iterator[Path]:
    """The files of a folder; for one below it that is a link or may not be entered, a file in it, to have a reason."""
    closed = list[Path]()

    def not_entered(error: OSError) -> None:
        closed.append(Path(str(error.filename)))

    for folder, names, files in walk(path, onerror=not_entered):
        names[:] = sorted(name for name in names if name != ".git")  # what Git keeps was not handed in
        closed += [each for name in names if (each := Path(folder, name)).is_symlink()]
        yield from (Path(folder, name) for name in sorted(files))
    yield from (each / each.name for each in closed)


def _parts(name: str) -> tuple[str, ...]:
    """The parts of a path inside a download; without those that lead nowhere."""
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def _is_noise(parts: tuple[str, ...]) -> bool:
    """Whether a file is of an operating system or an editor, and of nobody; a student's name may begin with a dot."""
    return any(
        part in _NOISE
        or part.startswith(("._", "~$"))
        or (part.startswith(".") and not (CANVAS.fullmatch(part) or MOODLE.fullmatch(part)))
        for part in parts
    )


def _is_wrapped(files: Sequence[_File]) -> bool:
    """Whether one folder stands around all: not where it is a student's."""
    if len({file.parts[0] for file in files}) != 1 or any(len(file.parts) == 1 for file in files):
        return False
    nbgraders = any(file.parts[-1] == _TIMESTAMP and len(file.parts) == 3 for file in files)
    deep = any(len(file.parts) > 2 or CANVAS.fullmatch(file.parts[-1]) for file in files)
    return deep and not nbgraders and not MOODLE.fullmatch(files[0].parts[0])


def _platform_of(files: Sequence[_File]) -> Platform:
    if any(_is_metadata(file) for file in files):
        return "gradescope"
    if _most(files, lambda parts: MOODLE.fullmatch(parts[0])):
        return "moodle"
    if _most(files, lambda parts: len(parts) == 1 and CANVAS.fullmatch(parts[0])):
        return "canvas"
    if _most(files, lambda parts: len(parts) == 3) and any(file.parts[-1] == _TIMESTAMP for file in files):
        return "nbgrader"
    return "github" if _common_start(files) else "folder"


def _most(files: Sequence[_File], fits: Any) -> bool:
    return bool(files) and 2 * sum(bool(fits(file.parts)) for file in files) > len(files)


def _canvas(files: Sequence[_File]) -> tuple[list[Upload], list[str]]:
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


def _moodle(files: Sequence[_File]) -> tuple[list[Upload], list[str]]:
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


def _gradescope(files: Sequence[_File]) -> tuple[list[Upload], list[str]]:
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


def _is_metadata(file: _File) -> bool:
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


def _common_start(files: Sequence[_File]) -> str:
    """`assignment-`, with which all folders of GitHub Classroom begin; empty if they do not."""
    folders = sorted({file.parts[0] for file in files if len(file.parts) > 1})
    if len(folders) < 2 or any(len(file.parts) == 1 for file in files):
        return ""
    first, last = folders[0], folders[-1]
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[: first.rfind("-", 0, same) + 1]


def _github(files: Sequence[_File]) -> tuple[list[Upload], list[str]]:
    start = _common_start(files)
    uploads, unused = [], []
    for file in files:
        if len(file.parts) == 1:
            unused.append(f"{inert(file.parts[0], 200)}: not in a student's folder")
        else:
            person = Person(login=file.parts[0].removeprefix(start), folder=file.parts[0])
            uploads.append(Upload(person, file.parts[-1], file.content))
    return uploads, unused


def _nbgrader(files: Sequence[_File]) -> tuple[list[Upload], list[str]]:
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


def _folder(files: Sequence[_File]) -> tuple[list[Upload], list[str]]:
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
