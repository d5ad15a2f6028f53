"""Written answers beside their cell, the assignment's own text under another name, and pictures in answers."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from bncourse.grading.authoring.masters import load_master
from bncourse.grading.core.records import MasterCell, SubmissionRecord
from bncourse.grading.core.render import release_notebook
from bncourse.grading.reports.autograded import autograded_notebook
from bncourse.grading.submissions.attempted import added_cells, attempted
from bncourse.grading.submissions.pictures import MAX_BYTES, MAX_PICTURES, kind_and_pixels
from bncourse.grading.submissions.read import Reading
from bncourse.grading.submissions.submission import submission_of
from tests.assignments.saved_elsewhere import PLACES
from tests.assignments.whole_class import MASTERS
from tests.grading.small import MASTER, RIGHT, as_file, cell_of, code_cell, notebook

Notebook = dict[str, Any]
BLANK = {name: text for name, text in RIGHT.items() if name != "explain"}
PROOF = "The sum of the deviations from the mean is zero, by what a mean is."
MASTERS_BY_NAME = {name: load_master(MASTERS / f"{name}.md") for name in ("backward", "forward")}


def text_cell(source: str, **more: Any) -> Notebook:
    return {"cell_type": "markdown", "id": f"text-{len(source)}", "metadata": {}, "source": source, **more}


def read(made: Notebook, master: Any = MASTER) -> Reading:
    return submission_of(master, "ada", as_file(made)).reading


def behind(name: str, *cells: Notebook) -> Callable[[Notebook], None]:
    def put(made: Notebook) -> None:
        place = [cell["id"] for cell in made["cells"]].index(name) + 1
        made["cells"][place:place] = cells

    return put


BESIDE: dict[str, Callable[[Notebook], Any]] = {
    "below its cell": behind("explain", text_cell(PROOF)),
    "above its cell": behind("test-number", text_cell(PROOF)),
    "as a raw cell": behind("explain", {**text_cell(PROOF), "cell_type": "raw"}),
    "as a comment in a code cell": behind("explain", code_cell(f"# {PROOF}", "own")),
    "as a text in quotes": behind("explain", code_cell(f'"""{PROOF}"""', "own")),
    "as prose in a code cell": behind("explain", code_cell(PROOF, "own")),
    "its cell deleted": lambda made: (
        made["cells"].remove(cell_of(made, "explain")),
        made["cells"].append(text_cell(PROOF)),
    ),
    "as a picture": behind("explain", text_cell("![](attachment:a.png)", attachments={})),
}


@pytest.mark.parametrize("form", BESIDE)
def test_a_written_answer_beside_its_cell_waits_for_a_person(form: str) -> None:
    reading = read(notebook(BLANK, change=BESIDE[form]))
    assert "explain" in attempted(MASTER, reading)
    assert reading.answers["explain"] in ("", "YOUR ANSWER HERE", PROOF)
    shown = [cell.source for cell in added_cells(reading)]
    assert reading.answers["explain"] == PROOF or any(
        PROOF in source or "picture" in source or "a.png" in source for source in shown
    )


def test_an_empty_answer_without_a_text_waits_for_nobody() -> None:
    for change in (
        None,
        behind("setup", text_cell("My notes on the forward pass.")),
        behind("explain", text_cell("  ")),
    ):
        assert "explain" not in attempted(MASTER, read(notebook(BLANK, change=change)))


def test_text_below_the_question_in_its_own_cell_waits_for_a_person_and_is_shown() -> None:
    master = MASTERS_BY_NAME["backward"]
    made = release_notebook(master)
    question = next(cell for cell in made["cells"] if cell["id"] == "proof-task")
    question["source"] += f"\n\n{PROOF}"
    reading = read(made, master)
    assert attempted(master, reading) == {"proof"}
    assert [PROOF in text.source for text in reading.texts] == [True]


def test_text_behind_everything_lets_every_empty_answer_wait() -> None:
    master = MASTERS_BY_NAME["backward"]
    made = release_notebook(master)
    made["cells"].append(text_cell("1. Because of the mean. 2. Because of the variance."))
    written = {cell.grade_id for cell in master.cells if cell.kind == "written"}
    assert attempted(master, read(made, master)) == written


def test_with_the_metadata_lost_no_other_text_is_taken_for_an_answer() -> None:
    """The stub of a later answer, a note in another place, or the question itself."""
    master = MASTERS_BY_NAME["backward"]
    made = release_notebook(master)
    cell_of(made, "proof")["source"] = PROOF
    behind("setup", text_cell("My notes."))(made)
    reading = read(PLACES["Colab, metadata lost"](made), master)
    answers = {cell.grade_id: reading.answers[cell.grade_id] for cell in master.cells if cell.kind == "written"}
    assert answers.pop("proof") == PROOF
    assert set(answers.values()) == {"YOUR ANSWER HERE"}
    assert attempted(master, reading) == {"proof"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("assignment", MASTERS_BY_NAME)
def test_the_assignments_own_text_is_known_by_what_it_says(assignment: str, place: str) -> None:
    master = MASTERS_BY_NAME[assignment]
    made = PLACES[place](release_notebook(master))
    assert read(made, master).texts == ()
    split = [part for cell in made["cells"] for part in split_text(cell)]
    split.append(text_cell("## Before you hand in"))
    assert [text.source for text in read(made | {"cells": split}, master).texts] == []


def split_text(cell: Notebook) -> list[Notebook]:
    """A text cell as tools write it that keep a block in a cell of its own."""
    source = "".join(cell["source"])
    blocks = source.split("\n\n")
    if cell["cell_type"] != "markdown" or "nbgrader" in cell["metadata"] or source == "YOUR ANSWER HERE":
        return [cell]
    return [{**cell, "id": f"{cell.get('id')}-{n}", "source": block} for n, block in enumerate(blocks)]


def test_texts_and_code_of_ones_own_are_shown_in_their_order() -> None:
    own = [text_cell("First."), code_cell("a = 1", "a"), text_cell("Second, longer."), code_cell("b = 2", "b")]
    reading = read(notebook(RIGHT, change=behind("setup", *own)))
    assert [cell.source for cell in added_cells(reading)] == ["First.", "a = 1", "Second, longer.", "b = 2"]


# --- pictures ---

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x0b\x08\x0b\xb8\x0f\xa0\x01\x01\x11\x00\xff\xd9"
)
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def answered(source: str, **files: dict[str, str]) -> Reading:
    attached = {name.replace("_", "."): bundle for name, bundle in files.items()}

    def change(made: Notebook) -> None:
        cell_of(made, "explain").update(source=source, attachments=attached)

    return read(notebook(RIGHT, change=change))


def test_a_photo_of_a_proof_is_kept_in_the_graders_notebook() -> None:
    files = {"photo_jpg": {"image/jpeg": coded(JPEG)}, "plot_png": {"image/png": coded(PNG)}}
    reading = answered("By hand:\n![proof](attachment:photo.jpg)\nand ![](attachment:plot.png)", **files)
    assert [picture.data for picture in reading.pictures["explain"]] == [JPEG, PNG]
    assert reading.answers["explain"] == "By hand:\nproof [picture 1]\nand [picture 2]" and reading.looks == ()
    made = autograded_notebook(
        copy.deepcopy(release_notebook(MASTER)),
        SubmissionRecord("x", "small", "correct", ()),
        reading.answers,
        added_cells(reading),
        reading.pictures,
    )
    cell = cell_of(made, "explain")
    assert "![picture 1](attachment:picture-1.jpg)" in cell["source"]
    assert cell["attachments"] == {
        "picture-1.jpg": {"image/jpeg": coded(JPEG)}, "picture-2.png": {"image/png": coded(PNG)}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        (f"![](data:image/png;base64,{coded(PNG)})", 1),
        (f'<img width=300 src="data:image/png;base64,{coded(PNG)}" alt="x">', 1),
        ("no word of it", 1),
        ("![a](attachment:plot.png) ![b](attachment:plot.png)", 1),
        ("![a](<attachment:plot.png>) <img src='attachment:plot.png'/>", 1),
    ],
)
def test_a_picture_is_kept_once_however_the_text_refers_to_it(source: str, kept: int) -> None:
    files = {} if "data:" in source else {"plot_png": {"image/png": coded(PNG)}}
    reading = answered(source, **files)
    assert len(reading.pictures["explain"]) == kept and reading.looks == ()
    assert "[picture 1]" in reading.answers["explain"] and "base64" not in reading.answers["explain"]


def big() -> str:
    return coded(PNG + b"\0" * MAX_BYTES)


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("![](attachment:a.gif)", {"a_gif": {"image/gif": coded(GIF)}}),
        ("![](attachment:a.png)", {"a_png": {"image/png": coded(b"<svg onload=alert(1)>")}}),
        ("![](attachment:a.png)", {"a_png": {"image/png": "no base64!"}}),
        ("![](attachment:a.png)", {"a_png": {"image/png": [1, None]}}),
        ("![](attachment:a.png)", {"a_png": "not a bundle"}),
        ("![](attachment:gone.png)", {}),
        ("![](proof.jpg)", {}),
        ("<img src=https://example.org/a.png>", {}),
        (f"![](data:image/svg+xml;base64,{coded(GIF)})", {}),
        ("", {"a_png": {"image/png": big()}}),
        ("", {f"a{n}_png": {"image/png": coded(PNG)} for n in range(MAX_PICTURES + 1)}),
    ],
)
def test_any_other_picture_is_named_and_looked_at(source: str, files: dict[str, Any]) -> None:
    reading = answered(source, **files)
    assert reading.looks and "see the student's own file" in reading.looks[0]
    assert len(reading.pictures.get("explain", ())) <= MAX_PICTURES
    json.dumps(reading.answers)


def test_a_picture_of_absurd_size_is_none() -> None:
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    assert kind_and_pixels(header + (10).to_bytes(4, "big") * 2) == ("image/png", 100)
    none = ("", 0)
    assert kind_and_pixels(header + (10_000_000).to_bytes(4, "big") * 2) == none
    assert kind_and_pixels(JPEG)[0] == "image/jpeg" and kind_and_pixels(JPEG[:20]) == none
    assert kind_and_pixels(b"\xff\xd8" + b"\xff" * 10_000) == none
    assert kind_and_pixels(JPEG[:2] + b"\xff\x01" + JPEG[2:]) == none
    assert kind_and_pixels(JPEG[:2] + b"\xff\xd0\x00\x04" + JPEG[2:]) == none


def png(width: int, height: int, number: int) -> bytes:
    """A picture that is small as a file, and needs four bytes a pixel where it is shown."""
    return PNG[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + PNG[24:] + bytes([number])


@pytest.mark.parametrize(
    ("side", "count", "kept"), [(11_999, 1, 0), (7_000, 5, 4), (2_000, MAX_PICTURES, MAX_PICTURES)]
)
def test_pictures_of_few_bytes_and_many_pixels_have_a_limit_too(side: int, count: int, kept: int) -> None:
    files = {f"p{number}_png": {"image/png": coded(png(side, side, number))} for number in range(count)}
    reading = answered("Photos.", **files)
    assert len(reading.pictures.get("explain", ())) == kept
    assert len(reading.looks) == count - kept


def test_master_cells_of_the_small_assignment_are_as_these_tests_want_them() -> None:
    assert MASTER.cells[-1] == MasterCell(
        "explain", "written", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION", 2.0, "markdown"
    )
