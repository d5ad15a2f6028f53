"""A path in; a student's bytes out, or why they were not read: the one function that opens what students hand in.

No link is followed on any level below the folder that holds all submissions, nothing but a plain file is read, and no
more of it than its limit. What was not read has a reason instead, in characters that a terminal shows.
"""

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from bncourse.grading.core.plain_text import one_line

MAX_BYTES = 25 * 2**20
"""Notebooks larger than this are not read."""


class HandedIn(NamedTuple):
    """A student's file, or the reason why it was not read."""

    content: bytes
    reason: str = ""
    notes: tuple[str, ...] = ()
    """What was done to find it, in words."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the content, or of the reason."""
        return hashlib.sha256(f"{self.reason}{chr(0)}".encode() + self.content).hexdigest()


def read_file(path: Path, below: Path, most: int = MAX_BYTES) -> HandedIn:
    """Read a file that a student handed in.

    Parameters
    ----------
    path : Path
        The file; it need not exist.
    below : Path
        A folder above it that is not the student's: links are followed up to there, and none from there on.
    most : int
        Bytes; a larger file is not read.
    """
    parts, opened = path.relative_to(below).parts, list[int]()
    try:
        opened.append(os.open(below, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for left, part in enumerate(parts, start=1 - len(parts)):
            folder = left < 0
            try:
                opened.append(_open(part, opened[-1], folder=folder))
            except OSError as error:
                return HandedIn(b"", _why_not(part, opened[-1], error, folder=folder))
        return _content(one_line(path.name), opened[-1], most)
    except (OSError, ValueError) as error:
        return HandedIn(b"", f"{one_line(path.name)} cannot be read: {getattr(error, 'strerror', None) or error}")
    finally:
        for descriptor in reversed(opened):
            os.close(descriptor)


def _open(part: str, within: int, *, folder: bool) -> int:
    kind = os.O_DIRECTORY if folder else os.O_NONBLOCK
    return os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=within)


def _why_not(part: str, within: int, error: OSError, *, folder: bool) -> str:
    try:
        mode = os.stat(part, dir_fd=within, follow_symlinks=False).st_mode
    except OSError:
        mode = 0
    if stat.S_ISLNK(mode):
        return f"{'the folder ' if folder else ''}{one_line(part)} is a link, which is not followed"
    if mode and not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        return f"{one_line(part)} is not a {'folder' if folder else 'plain file'}"
    if mode or folder:
        return f"{'the folder ' if folder else ''}{one_line(part)} cannot be read: {error.strerror}"
    try:
        beside = sorted(one_line(name) for name in os.listdir(within) if name.endswith(".ipynb"))[:3]
    except OSError:
        beside = []
    return f"there is no file named {one_line(part)}" + (f", but {', '.join(beside)}" if beside else "")


def _content(name: str, descriptor: int, most: int) -> HandedIn:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        return HandedIn(b"", f"{name} is not a plain file")
    too_large = f"{name} has more than {most >> 20} MB" if most >= 2**20 else f"{name} has more than {most} bytes"
    if facts.st_size > most:
        return HandedIn(b"", f"{too_large}, which are not read")
    with os.fdopen(os.dup(descriptor), "rb") as file:
        content = file.read(most + 1)
    return HandedIn(content) if len(content) <= most else HandedIn(b"", f"{too_large}, which are not read")
