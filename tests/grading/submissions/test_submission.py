"""Whatever types and characters one student's notebook holds, it is read, and everything after reading can use it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bncourse.grading.authoring.course import Course, write
from bncourse.grading.core import render
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.gradebook.records_table import to_json
from bncourse.grading.submissions import read as reading
from bncourse.grading.submissions.attempted import attempted
from bncourse.grading.submissions.submission import submission_of
from bncourse.grading.submissions.upgrade import handed_in
from bncourse.grading.workflows.submission_process import graded_notebook
from tests.grading.small import MASTER, as_file, cell_of, notebook

ODD: tuple[Any, ...] = (
    [],
    {},
    [[]],
    None,
    True,
    2**70,
    1.5,
    float("nan"),
    "\ud800",
    "a\x1b[2J",
    "x" * 10_000,
    {"\udfff": 1},
)


def used(raw: bytes) -> str:
    """What becomes of a file on its way to the gradebook and the pages, but for running it."""
    submission = submission_of(MASTER, "ada", raw)
    attempted(MASTER, submission.reading)
    record = SubmissionRecord(
        "ada", "small", "repaired", (), submission.reading.repairs, submission.reading.reason, notes=()
    )
    shown = graded_notebook(render.release_notebook(MASTER), submission, record)
    render.as_bytes(shown)
    to_json(record).encode()
    told = [submission.reading.reason, *submission.reading.repairs]
    assert all(text.isprintable() or not text for text in told)
    return submission.reading.reason


PLACES: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "grade_id": lambda cell, odd: cell["metadata"]["nbgrader"].update(grade_id=odd),
    "points": lambda cell, odd: cell["metadata"]["nbgrader"].update(points=odd, grade=odd, locked=odd),
    "nbgrader": lambda cell, odd: cell["metadata"].update(nbgrader=odd),
    "metadata": lambda cell, odd: cell.update(metadata=odd),
    "cell_type": lambda cell, odd: cell.update(cell_type=odd),
    "source": lambda cell, odd: cell.update(source=odd),
    "source line": lambda cell, odd: cell.update(source=[odd, "x = 1\n"]),
    "id": lambda cell, odd: cell.update(id=odd),
    "tags": lambda cell, odd: cell["metadata"].update(tags=odd),
    "attachments": lambda cell, odd: cell.update(attachments=odd),
    "outputs": lambda cell, odd: cell.update(outputs=odd),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_odd_value_stops_what_comes_after_reading(place: str) -> None:
    for odd in ODD:
        for name in ("scale", "test-scale", "explain", "title"):
            made = notebook()
            cell = cell_of(made, name)
            cell["metadata"].setdefault("nbgrader", {})
            PLACES[place](cell, odd)
            assert used(as_file(made)) == "", (place, odd, name)


@pytest.mark.parametrize("odd", [[], {}, 1, "\ud800", "other\x1b[2J\n", "x" * 10_000])
def test_no_odd_metadata_of_the_notebook_stops_it(odd: Any) -> None:
    made = notebook()
    made["metadata"] = {"bncourse": {"assignment": odd, "digest": odd}, "kernelspec": odd}
    used(as_file(made))


def test_whatever_reading_raises_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise UnicodeError("unforeseen")

    monkeypatch.setattr(reading, "read_notebook", fails)
    assert "UnicodeError" in used(b"{}" + b" " * 12)


def test_a_half_emoji_in_an_older_release_stops_nobody(course: Course) -> None:
    """It was brought to the present release, and could not be written as UTF-8."""
    master = course.master("backward")
    released = course.notebook("release", "backward")
    made = json.loads(released.read_bytes())
    made["metadata"]["bncourse"]["digest"] = "0" * 64
    write(course.root / "releases" / "backward" / f"{'0' * 64}.ipynb", render.as_bytes(made))
    write(course.root / "releases" / "backward" / f"{master.metadata['digest']}.ipynb", released.read_bytes())
    for odd in ("\ud83d", [], {"a": "\udfff"}):
        made["cells"][3]["source"] = odd
        made["cells"].append({"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": []}}, "source": "\ud83d"})
        path = course.notebook("submitted", "backward", "ada")
        write(path, json.dumps(made).encode())
        file = handed_in(course, master, "ada")
        assert file.reason == "" and submission_of(master, "ada", file).reading.reason == ""
