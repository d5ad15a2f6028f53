"""One person's uploads in; the one that is the assignment's notebook out, and what an instructor should know of that.

A notebook is known by its metadata, which are parsed in a process that can be ended, as all that students have written.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bncourse.grading.core.plain_text import one_line
from bncourse.grading.sandbox.limited_process import CallEnded, LimitedProcess
from bncourse.grading.submissions.downloads import Upload
from bncourse.grading.submissions.notebooks import read_notebook

MODULE = re.compile(r"[A-Za-z_]\w{0,80}\.py", re.ASCII)
"""How a helper module is called that is taken along."""
_AGAIN = re.compile(r"(?:[-_ ]|\()(\d{1,4})\)?(?=\.ipynb$)")
_KINDS = ((b"PK", "a ZIP file"), (b"%PDF", "a PDF"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"))
_KINDS_OF_TEXT = ((b"<!doctype html", "a web page"), (b"<html", "a web page"))


class Facts(NamedTuple):
    """What a file says of itself."""

    reason: str
    """Why it is no notebook; empty where it is one."""
    assignment: str | None = None
    """What its metadata name; None where they name nothing."""


class UploadProcess(LimitedProcess):
    """Reads uploads; use it as a context manager."""

    def __init__(self) -> None:
        super().__init__({"facts": _facts})

    def facts(self, content: bytes) -> Facts:
        """What a file says of itself; a reason where reading it was ended."""
        try:
            found: Facts = self.call("facts", content)
        except CallEnded as error:
            return Facts(f"the file cannot be read: {one_line(str(error), 200)}")
        return found


def _facts(content: bytes) -> Facts:
    """In the other process: read a notebook for what it says of itself."""
    notebook = read_notebook(content)
    ours = notebook.metadata.get("bncourse")
    named = ours.get("assignment") if isinstance(ours, dict) else None
    return Facts(one_line(notebook.reason, 300), named if named is None else one_line(str(named), 60))


def choose(process: UploadProcess, assignment: str, uploads: Sequence[Upload]) -> tuple[Upload | None, tuple[str, ...]]:
    """Choose the latest notebook whose metadata name the assignment.

    Returns
    -------
    upload : Upload or None
    notes : tuple of str
        What an instructor should know about the choice, or why there is none.
    """
    ours, lost, others = [], [], []
    for upload in uploads:
        name = one_line(upload.name, 120)
        if upload.file.reason:
            others.append(f"{name}: {upload.file.reason}")
            continue
        if MODULE.fullmatch(upload.name):
            continue
        facts = process.facts(upload.file.content)
        if facts.reason:
            others.append(f"{name}: {_kind(upload.file.content) or facts.reason}")
        elif facts.assignment == assignment:
            ours.append(upload)
        elif facts.assignment is None:
            lost.append(upload)
        else:
            others.append(f"{name}: a notebook of {facts.assignment}")
    notes = []
    candidates = ours or [upload for upload in lost if Path(upload.name).stem == assignment] or lost
    if not candidates:
        return None, tuple(others) or ("no notebook was handed in",)
    if not ours:
        notes.append("its metadata name no assignment")
    latest = max(
        candidates,
        key=lambda upload: (upload.order, upload.time or datetime.min.replace(tzinfo=UTC), _again(upload.name)),
    )
    if len(candidates) > 1:
        passed = ", ".join(one_line(upload.name, 60) for upload in candidates if upload is not latest)
        notes.append(f"the latest of {len(candidates)}; passed over: {passed}")
    if Path(latest.name).stem != assignment:
        notes.append(f"was named {one_line(latest.name, 80)}")
    return latest, (*notes, *others)


def _again(name: str) -> int:
    """The number that browsers and platforms put behind a name that was there already."""
    found = _AGAIN.search(name)
    return int(found[1]) if found else 0


def _kind(content: bytes) -> str:
    start = content[:64].lstrip().lower()
    kinds = [kind for mark, kind in _KINDS if content.startswith(mark)]
    kinds += [kind for mark, kind in _KINDS_OF_TEXT if start.startswith(mark)]
    return f"{kinds[0]}, not a notebook" if kinds else ""
