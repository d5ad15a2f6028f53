"""A submission to an earlier release in; the same work in the present release out.

Without this, mending a test after the release would make every submission look as if its tests had been edited.
"""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

from bncourse.grading.authoring.course import Course, notebook_digest, write
from bncourse.grading.core import render
from bncourse.grading.core.records import Master
from bncourse.grading.submissions.attempted import holds_work
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.find import find_notebook

_DIGEST = re.compile(r"[0-9a-f]{64}")


def archive_release(course: Course, assignment: str) -> None:
    """Keep a copy of the released notebook under its digest."""
    path = course.notebook("release", assignment)
    digest = notebook_digest(path)
    if digest is not None and _DIGEST.fullmatch(digest):
        write(_archived(course, assignment, digest), path.read_bytes())


def handed_in(course: Course, master: Master, student: str) -> HandedIn:
    """What a student handed in, brought to the present release; never raises."""
    folder = course.folder("submitted", master.assignment, student)
    try:
        file = find_notebook(folder, master.assignment, partial(holds_work, master))
    except Exception as error:  # whatever lies there, the others are graded
        return HandedIn(b"", f"the folder cannot be read ({type(error).__name__})")
    try:
        return _upgraded(course, master, file)
    except Exception:  # a notebook too damaged for that is read as it is
        return file


def _upgraded(course: Course, master: Master, file: HandedIn) -> HandedIn:
    now = str(master.metadata["digest"])
    if file.reason or now.encode() in file.content:
        return file
    try:
        notebook = json.loads(file.content)
        before = notebook["metadata"]["bncourse"]["digest"]
        cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return file
    if not isinstance(before, str) or not _DIGEST.fullmatch(before):
        return file
    old = _released(_archived(course, master.assignment, before))
    new = _released(_archived(course, master.assignment, now))
    if not old or not new:
        return file
    seen = {_name(cell) for cell in cells}
    brought = [new.get(_name(cell), cell) if _untouched(cell, old.get(_name(cell))) else cell for cell in cells]
    added = [cell for name, cell in new.items() if name not in old and name not in seen]
    notebook["cells"] = brought + added
    return HandedIn(render.as_compact_bytes(notebook), notes=file.notes)


def _archived(course: Course, assignment: str, digest: str) -> Path:
    return course.root / "releases" / assignment / f"{digest}.ipynb"


def _released(path: Path) -> dict[str, dict[str, Any]]:
    try:
        cells = json.loads(path.read_bytes())["cells"]
    except OSError:
        return {}
    return {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in cells if "nbgrader" in cell["metadata"]}


def _name(cell: dict[str, Any]) -> str:
    return str(_facts(cell).get("grade_id", ""))


def _facts(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = cell.get("metadata")
    facts = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return facts if isinstance(facts, dict) else {}


def _untouched(cell: dict[str, Any], released: dict[str, Any] | None) -> bool:
    if released is None or cell.get("cell_type") != released["cell_type"]:
        return False
    return _text(cell) == _text(released) and _facts(cell) == _facts(released) and not cell["metadata"].get("tags")


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
