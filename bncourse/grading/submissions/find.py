"""Find the notebook in what a student handed in: under its name, under another, or deeper in the folder.

Learning platforms and browsers rename files. No grade is given for a name: the notebook that says it is of the
assignment is graded, and what lies there instead of one is named for what it is. Helper modules beside it come along.
"""

import itertools
import json
import os
import re
import stat
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from bncourse.grading.core.plain_text import inert
from bncourse.grading.submissions.files import MAX_BYTES, HandedIn, read_file

MAX_LISTED, MAX_ENTRIES, MAX_DEPTH, MAX_NOTEBOOKS = 10_000, 200, 3, 10
MAX_MODULES, MAX_MODULE = 10, 100_000
_LEFT_OUT = (".ipynb_checkpoints", "__MACOSX", "__pycache__")


class Entry(NamedTuple):
    """A plain file below a student's folder."""

    path: Path
    time: float


def find_notebook(folder: Path, assignment: str, begun: Callable[[bytes], bool] = lambda _: True) -> HandedIn:
    """Read the notebook of an assignment from a student's folder.

    Parameters
    ----------
    folder : Path
        `submitted/STUDENT/ASSIGNMENT`.
    assignment : str
        The file's name, without the ending, if nobody has renamed it.
    begun : function
        Says whether a notebook holds any work; a file of the right name without any is passed over for one with some.
    """
    path = folder / f"{assignment}.ipynb"
    file = _read(path, folder)
    if file.reason and os.path.lexists(path):
        return file
    if not file.reason and not what_it_is(file.content):
        path, file = _with_work(path, file, folder, begun)
    else:
        others = [each for each in _entries(folder) if each.path != path]
        found = _renamed(others, folder, assignment)
        if found is None:
            if not file.reason:
                return HandedIn(b"", f"{path.name} is {what_it_is(file.content)}")
            return HandedIn(b"", file.reason + _instead(others, folder))
        path, file = found
    return with_modules(file, path, folder.parents[1])


def _with_work(path: Path, file: HandedIn, folder: Path, begun: Callable[[bytes], bool]) -> tuple[Path, HandedIn]:
    """The file of the right name; where it holds no work (as given out, or broken), the newest beside it that does."""
    others = [entry for entry in _entries(folder) if entry.path != path and _may_be_notebook(entry.path)]
    if not others or begun(file.content):
        return path, file
    read = [(entry, _read(entry.path, folder)) for entry in others[:MAX_NOTEBOOKS]]
    mine = [(e, f) for e, f in read if not f.reason and _assignment_of(f.content) == path.stem and begun(f.content)]
    if not mine:
        return path, file
    entry, found = max(mine, key=lambda each: (each[0].time, str(each[0].path)))
    name = inert(str(entry.path.relative_to(folder)), 100)
    return entry.path, found._replace(notes=(f"{path.name} holds no work of the student's, so {name} was graded",))


def _read(path: Path, folder: Path, most: int = MAX_BYTES) -> HandedIn:
    """Read a file of a student's, of whom no folder may be a link either."""
    return read_file(path, folder.parents[1], most)


def _entries(folder: Path) -> list[Entry]:
    """The plain files below a folder; links are not followed, and hidden folders not entered."""
    found: list[Entry] = []

    def look(here: Path, depth: int) -> None:
        try:
            names = sorted(entry.name for entry in itertools.islice(os.scandir(here), MAX_LISTED))
        except OSError:
            return
        for name in names:
            if len(found) >= MAX_ENTRIES:
                return
            if name.startswith(".") or name in _LEFT_OUT:
                continue
            try:
                facts = os.lstat(here / name)
            except OSError:
                continue
            if stat.S_ISREG(facts.st_mode):
                found.append(Entry(here / name, facts.st_mtime))
            elif stat.S_ISDIR(facts.st_mode) and depth < MAX_DEPTH:
                look(here / name, depth + 1)

    if not folder.is_symlink():
        look(folder, 0)
    return found


def _renamed(entries: list[Entry], folder: Path, assignment: str) -> tuple[Path, HandedIn] | None:
    """The notebook that says it is of the assignment; of several the newest; else the only one that says nothing."""
    named, silent = list[tuple[float, Path, HandedIn]](), list[tuple[float, Path, HandedIn]]()
    for entry in [entry for entry in entries if _may_be_notebook(entry.path)][:MAX_NOTEBOOKS]:
        file = _read(entry.path, folder)
        says = _assignment_of(file.content) if not file.reason else None
        if says == assignment:
            named.append((entry.time, entry.path, file))
        elif says == "":
            silent.append((entry.time, entry.path, file))
    found = sorted(named or (silent if len(silent) == 1 else []), key=lambda each: (each[0], str(each[1])))
    if not found:
        return None
    _, path, file = found[-1]
    note = f"the file was called {inert(str(path.relative_to(folder)), 100)} and was graded as {assignment}.ipynb"
    if len(found) > 1:
        note += f"; of {len(found)} such files, it is the newest"
    return path, file._replace(notes=(note,))


def _may_be_notebook(path: Path) -> bool:
    """Whether a file is called like a notebook; browsers and mail programs add an ending: `forward.ipynb.txt`."""
    return ".ipynb" in path.name.lower() or path.suffix.lower() in (".json", "")


def _assignment_of(content: bytes) -> str | None:
    """The assignment that a notebook says it is of, nothing where it says none; None where it is no notebook."""
    try:
        data = json.loads(content)
        cells = data["cells"] if "cells" in data else data["worksheets"]
        said = data.get("metadata", {}).get("bncourse", {}).get("assignment", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return said if isinstance(said, str) and isinstance(cells, list) else None


def what_it_is(content: bytes) -> str:
    """What a file is that is no notebook, by its first bytes; nothing where it may be one."""
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = start[:200].lower()
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return f"a ZIP archive{_in_archive(content)}: unpack it, and hand in the notebook itself"
    if lower.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        return "a web page, not the notebook: download the notebook as .ipynb"
    for magic, name in _MAGIC.items():
        if content.startswith(magic):
            return name
    if (
        start
        and not start.startswith(b"{")
        and re.search(rb"^(import|from|def|# %%|# In\[)", content[:5000], re.MULTILINE)
    ):
        return "a Python script, not the notebook: download the notebook as .ipynb"
    return ""


_MAGIC = {
    b"%PDF": "a PDF, not the notebook: download the notebook as .ipynb",
    b"\x1f\x8b": "a compressed archive (gzip): unpack it, and hand in the notebook itself",
    b"Rar!": "a RAR archive: unpack it, and hand in the notebook itself",
    b"7z\xbc\xaf": "a 7z archive: unpack it, and hand in the notebook itself",
    b"\x89PNG": "a picture, not the notebook",
    b"\xff\xd8\xff": "a picture, not the notebook",
    b"\xd0\xcf\x11\xe0": "a document of an office program, not the notebook",
}


def _in_archive(content: bytes) -> str:
    """The notebooks that an archive lists; nothing is unpacked."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()[:1000]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return ""
    if "word/document.xml" in names:
        return " (a Word document)"
    names = [name for name in names if name.endswith(".ipynb") and not name.startswith("__MACOSX")][:3]
    return f" (with {', '.join(inert(name, 80) for name in names)} in it)" if names else ""


def _instead(entries: list[Entry], folder: Path) -> str:
    """What lies in a folder without the notebook."""
    for entry in entries:
        file = _read(entry.path, folder)
        what = "" if file.reason else what_it_is(file.content)
        if what:
            return f"; {inert(entry.path.name, 80)} is {what}"
    return ""


def with_modules(file: HandedIn, path: Path, below: Path) -> HandedIn:
    """The notebook, with the modules beside it that it imports as cells in front, which write them where it runs.

    Parameters
    ----------
    file : HandedIn
    path : Path
        Where it lies.
    below : Path
        A folder above it, from which on no link is followed.
    """
    beside = [] if file.reason else [entry for entry in _entries(path.parent) if entry.path.suffix == ".py"]
    sources: dict[str, str] = {}
    texts = [file.content]
    for entry in beside[:MAX_MODULES]:
        name = str(entry.path.relative_to(path.parent))
        module = read_file(entry.path, below, MAX_MODULE)
        if not module.reason and re.fullmatch(r"[\w./-]+", name):
            sources[name] = module.content.decode("utf-8-sig", "replace")
            texts.append(module.content)
    sources = {name: source for name, source in sources.items() if any(_names(text, name) for text in texts)}
    if not sources:
        return file
    try:
        notebook = json.loads(file.content)
        cells = [{"cell_type": "code", "metadata": {}, "source": f"%%writefile {n}\n{s}"} for n, s in sources.items()]
        notebook["cells"] = [*cells, *notebook["cells"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return file
    note = f"modules beside the notebook were there for it: {', '.join(sources)}"
    return HandedIn(json.dumps(notebook).encode(), notes=(*file.notes, note))


def _names(text: bytes, module: str) -> bool:
    """Whether a text imports, runs or names a module; in a notebook a line may begin behind an escaped line end."""
    parts = module.removesuffix(".py").split("/")
    words = b"|".join(re.escape(part).encode() for part in {parts[0], parts[-1]} - {"__init__"})
    imports = rb"(?:(?:\b|\\[nrt])(?:from|(?:__)?import(?:__|_module)?)|%run)\b[^\n\\]{0,200}?\b(?:" + words + rb")\b"
    spelled = rb"\b" + re.escape(parts[-1]).encode() + rb"\.py\b"
    return re.search(imports + b"|" + spelled, text) is not None
