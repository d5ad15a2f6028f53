"""A ZIP or a folder that a platform lets an instructor download, in; its files, each within a limit, out.

What an operating system or an editor has left there is no file of a student's, and is not among them.
"""

import re
import stat
import zipfile
from collections.abc import Iterator
from os import walk
from pathlib import Path
from typing import NamedTuple

from bncourse.grading.core.plain_text import inert
from bncourse.grading.submissions.files import MAX_BYTES, HandedIn, read_file

MAX_FILES = 50_000
MAX_IN_ALL = 2 * 2**30
"""Bytes that a download may unpack to."""

_NOISE = ("__MACOSX", "Thumbs.db", "desktop.ini")
CANVAS = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+)_(?P<attachment>\d+)_(?P<file>.+)", re.DOTALL)
MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)_?(?P<file>.*)", re.DOTALL)
"""How the two name what they let download, and by which they take a page back for the same student."""


class DownloadError(ValueError):
    """A download that cannot be read, in one line that says what to do."""


class File(NamedTuple):
    """One file of a download."""

    parts: tuple[str, ...]
    """Its path there: text to be matched, never a path to be written to."""
    content: HandedIn


def files_of(path: Path) -> Iterator[File]:
    """Read the files of a ZIP or of a folder.

    Raises
    ------
    DownloadError
        If it is neither a ZIP nor a folder, is damaged, or unpacks to more than `MAX_IN_ALL` bytes.
    """
    return _of_folder(path) if path.is_dir() else _of_zip(path)


def _of_zip(path: Path) -> Iterator[File]:
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
            yield File(parts, content)


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


def _of_folder(path: Path) -> Iterator[File]:
    count = 0
    for file in _files_below(path):
        parts = _parts(str(file.relative_to(path)))
        if not parts or _is_noise(parts):
            continue
        count += 1
        if count > MAX_FILES:
            raise DownloadError(f"{inert(str(path))} holds more than {MAX_FILES} files.")
        yield File(parts, read_file(file, path))


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
