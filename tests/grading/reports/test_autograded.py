import json

import nbformat

from bncourse.grading.authoring.course import Course
from bncourse.grading.core.records import CellOutput, SubmissionRecord, Verdict
from bncourse.grading.reports.autograded import autograded_notebook, verdict_text
from bncourse.grading.submissions.attempted import Added

RECORD = SubmissionRecord(
    student="ann",
    assignment="backward",
    status="repaired",
    verdicts=(Verdict("test-closed-dx", "wrong", 0.0, 4.0, "Your code believes <script>."),),
    repairs=("cell <img src=x onerror=alert(1)> was missing",),
    outputs=(
        CellOutput("closed", "printed", (b"\x89PNG",)),
        CellOutput("after:closed:1", "from my own cell"),
    ),
    level="process",
)
ADDED = [
    Added("after:closed:1", "code", "helper = 1"),
    Added("after:closed:text9", "markdown", "I tried <script>alert(1)</script>"),
    Added("after::1", "code", "first = 1"),
]


def made(course: Course) -> nbformat.NotebookNode:
    released = json.loads(course.notebook("release", "backward").read_bytes())
    answers = {"closed": "x = '<script>'", "proof": "Because <script>alert(1)</script> $a<b$"}
    return nbformat.from_dict(autograded_notebook(released, RECORD, answers, ADDED))


def test_it_is_a_valid_notebook_with_each_answer_in_its_cell(released_course: Course) -> None:
    notebook = made(released_course)
    nbformat.validate(notebook)
    cells = {cell["id"]: cell for cell in notebook.cells}
    assert cells["closed"]["source"] == "x = '<script>'"
    assert cells["test-closed-dx"]["outputs"][0]["text"] == verdict_text(RECORD.verdicts[0])


def test_written_answers_and_own_text_are_not_live(released_course: Course) -> None:
    cells = {cell["id"]: cell for cell in made(released_course).cells}
    for name in ("proof", "after-closed-text9", "notes-from-grading"):
        assert "<script" not in cells[name]["source"] and "<img" not in cells[name]["source"]


def test_own_cells_stand_where_they_were_with_what_they_printed(released_course: Course) -> None:
    names = [cell["id"] for cell in made(released_course).cells]
    assert names[:2] == ["notes-from-grading", "after--1"]
    assert names[names.index("closed") + 1 :][:2] == ["after-closed-1", "after-closed-text9"]
    cells = {cell["id"]: cell for cell in made(released_course).cells}
    assert cells["after-closed-1"]["outputs"][0]["text"] == "from my own cell"


def test_pictures_are_kept_as_pictures(released_course: Course) -> None:
    outputs = {cell["id"]: cell for cell in made(released_course).cells}["closed"]["outputs"]
    assert [output["output_type"] for output in outputs] == ["stream", "display_data"]
    assert list(outputs[1]["data"]) == ["image/png"]


def test_the_notes_say_what_was_repaired_and_that_the_sandbox_was_lowered(released_course: Course) -> None:
    note = made(released_course).cells[0]["source"]
    assert "status: repaired" in note and "was missing" in note and "sandbox level process" in note
