"""A path in; a student's bytes out, or why they were not read: no link is followed, no pipe waited for."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

MAX_BYTES = 25 * 2**20
"""Files larger than this are listed, not read."""


class HandedIn(NamedTuple):
    """A student's file, or the reason why it was not read."""

    content: bytes
    reason: str = ""
    notes: tuple[str, ...] = ()
    """What was done to find it, in words."""


def read_file(path: Path) -> HandedIn:
    """Read what a student handed in, unless it is a link, a pipe, a device, or too large."""
    try:
        if path.parent.is_symlink():
            return HandedIn(b"", "the folder is a link, which is not followed")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        beside = sorted(other.name for other in path.parent.glob("*.ipynb"))[:3]
        return HandedIn(b"", f"there is no file named {path.name}" + (f", but {', '.join(beside)}" if beside else ""))
    except OSError as error:
        what = "it is a link, which is not followed" if path.is_symlink() else error.strerror
        return HandedIn(b"", f"{path.name} cannot be read: {what}")
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        return HandedIn(b"", f"{path.name} is not a plain file")
    with os.fdopen(descriptor, "rb") as file:
        if facts.st_size > MAX_BYTES:
            size = f"{facts.st_size >> 20} MB; files over {MAX_BYTES >> 20} MB"
            return HandedIn(b"", f"{path.name} has {size} are not read")
        return HandedIn(file.read(MAX_BYTES + 1))
