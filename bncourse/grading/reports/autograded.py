"""A release, a student's answers and a record in; the notebook that graders and students see out.

Tests stand there as they were released, without their hidden parts, and nothing of the student's is live.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from bncourse.grading.core.records import CellOutput, SubmissionRecord, Verdict
from bncourse.grading.core.render import Notebook
from bncourse.grading.reports.safe_markdown import safe_markdown
from bncourse.grading.submissions.attempted import Added
from bncourse.grading.submissions.pictures import Picture, attached

FINE = ("correct", "wrong", "not attempted")
NOTES = "notes-from-grading"
"""Id of the cell that says what grading had to note."""
_HEAD = re.compile(r"(?P<outcome>[a-z ]+): [\d.e+-]+ of [\d.e+-]+ points\n?")


def autograded_notebook(
    released: Mapping[str, Any],
    record: SubmissionRecord,
    answers: Mapping[str, str],
    added: Iterable[Added],
    pictures: Mapping[str, tuple[Picture, ...]] = MappingProxyType({}),
) -> Notebook:
    """Put together what is shown of a graded submission.

    Parameters
    ----------
    released : mapping
        The released notebook, with nbgrader's checksums.
    record : SubmissionRecord
    answers : mapping
        The student's answers and written answers, by grade_id.
    added : iterable of Added
        The student's own cells.
    pictures : mapping, optional
        The pictures in written answers, by grade_id.
    """
    verdicts = {verdict.grade_id: verdict for verdict in record.verdicts}
    outputs = {output.cell: output for output in record.outputs}
    behind: dict[str, list[Added]] = {}
    for own in added:
        behind.setdefault(own.name.split(":")[1], []).append(own)
    cells = [*_note(record)]
    cells += [_added(own, outputs) for own in behind.get("", [])]
    for each in released["cells"]:
        cell, name = dict(each), each["id"]
        if name in answers:
            if cell["cell_type"] == "code":
                cell["source"] = answers[name]
            else:
                cell |= _text(answers[name], pictures.get(name, ()))
        if cell["cell_type"] == "code":
            cell["outputs"] = _shown(outputs.get(name))
        if name in verdicts:
            cell["outputs"] = [_stream(verdict_text(verdicts[name]))]
        cells.append(cell)
        cells += [_added(own, outputs) for own in behind.get(name, [])]
    return {**released, "cells": cells}


def verdict_text(verdict: Verdict) -> str:
    """A verdict as the student reads it."""
    head = f"{verdict.outcome}: {verdict.points:g} of {verdict.max_points:g} points"
    return f"{head}\n{verdict.message}".rstrip() + "\n"


def read_verdict(text: str) -> tuple[str, str]:
    """The outcome and the message of a text that `verdict_text` made; two empty ones where it is none.

    >>> read_verdict(verdict_text(Verdict("test", "wrong", 0.5, 2.0, "A path is missing.")))
    ('wrong', 'A path is missing.')
    """
    head = _HEAD.match(text)
    return (head["outcome"], text[head.end() :].strip()) if head else ("", "")


def _note(record: SubmissionRecord) -> list[dict[str, Any]]:
    lines = [record.reason, *record.repairs, *record.notes]
    lines = [safe_markdown(line) for line in lines if line]
    if record.level != "full":
        lines.append(f"Graded at the lowered sandbox level {record.level}.")
    if record.status in FINE and not lines:
        return []
    text = "\n".join([f"**Notes from grading** (status: {record.status})", "", *(f"- {line}" for line in lines)])
    return [{"cell_type": "markdown", "id": NOTES, "metadata": {}, "source": text}]


def _added(cell: Added, outputs: Mapping[str, CellOutput]) -> dict[str, Any]:
    own = cell.name.replace(":", "-")[:64]
    if cell.cell_type != "code":
        return {"cell_type": "markdown", "id": own, "metadata": {}, **_text(cell.source, cell.pictures)}
    shown = _shown(outputs.get(cell.name))
    return {
        "cell_type": "code",
        "id": own,
        "metadata": {},
        "source": cell.source,
        "execution_count": None,
        "outputs": shown,
    }


def _text(source: str, pictures: tuple[Picture, ...]) -> dict[str, Any]:
    """A student's text, made harmless, with its pictures below it."""
    lines, files = attached(pictures)
    return {"source": safe_markdown(source) + lines} | ({"attachments": files} if files else {})


def _shown(output: CellOutput | None) -> list[dict[str, Any]]:
    if output is None:
        return []
    text = [_stream(output.text)] if output.text else []
    return text + [
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": base64.b64encode(picture).decode()}}
        for picture in output.pictures
    ]


def _stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}
