"""Rows about what one student's bytes do on their way in: to reading, to the pages, to the others."""

from typing import Any

from bncourse.grading.core.records import SubmissionRecord
from tests.grading.small import FULL, RIGHT, Notebook, cell_of, code_cell, hand_in
from tests.grading.vectors import Collection, Pair

INTAKE = Collection("On the way in")
row = INTAKE.row

ODD: tuple[Any, ...] = ([], {}, [[]], 2**70, 1.5, True, "\ud800", "x" * 10_000)
PLACES = {
    "grade_id": lambda cell, odd: cell["metadata"]["nbgrader"].update(grade_id=odd),
    "points": lambda cell, odd: cell["metadata"]["nbgrader"].update(points=odd, grade=odd),
    "cell type": lambda cell, odd: cell.update(cell_type=odd),
    "id": lambda cell, odd: cell.update(id=odd),
    "tags": lambda cell, odd: cell["metadata"].update(tags=odd),
}


@row("grade_id, points, cell type, id or tags of another type than expected; half characters in them", "D")
def other_types() -> list[Pair]:
    def change(made: Notebook, place: str, odd: Any) -> None:
        PLACES[place](cell_of(made, "test-scale"), odd)
        PLACES[place](made["cells"][-1], odd)

    return [
        Pair(hand_in(change=lambda made, p=place, o=odd: change(made, p, o)), hand_in(), f"{place} {odd!r:.20}", FULL)
        for place in PLACES
        for odd in ODD
    ]


COSTLY = {
    "blank lines": "\n" * 200_000,
    "blank lines above a magic": " \n" * 100_000 + "%time\n",
    "shell lines above code": "!ls\n" * 400 + "x = 1\n" * 3_000,
    "help lines": "x?\n" * 5_000,
    "blanks behind a sign": "x = (" + " " * 200_000 + "1)\n",
}


@row("text that costs the square of its length in reading: blank lines, help and shell lines by the hundred", "D")
def costly_text() -> list[Pair]:
    return [Pair(hand_in(first=text), hand_in(), title, FULL) for title, text in COSTLY.items()]


@row("thousands of cells, with and without metadata", "D")
def many_cells() -> list[Pair]:
    def add(made: Notebook, *, strip: bool) -> None:
        made["cells"] += [code_cell(f"own_{number} = {number}", f"own-{number}") for number in range(500)]
        for cell in made["cells"] if strip else ():
            cell["metadata"] = {}

    return [
        Pair(hand_in(change=lambda made, s=strip: add(made, strip=s)), hand_in(), f"stripped: {strip}", FULL)
        for strip in (False, True)
    ]


@row("outputs without a total: a little notebook makes a large one", "D")
def outputs() -> list[Pair]:
    def limited(record: SubmissionRecord) -> bool:
        shown = sum(len(output.text) + sum(map(len, output.pictures)) for output in record.outputs)
        return shown < 2_200_000 and sum(map(len, record.notes)) < 100_000

    def add(made: Notebook) -> None:
        made["cells"] += [code_cell("print('x' * 30_000)", f"own-{number}") for number in range(200)]

    return [Pair(hand_in(change=add), hand_in(), "printed", FULL, extra=limited)]


@row("a written answer that cleaning would turn into live HTML")
def written() -> list[Pair]:
    """What its page holds is shown by the tests of the pages; here it costs no mark."""
    text = '<\\data tabindex=1 autofocus onfocus="alert(1)"> !![x](http://e.org) $\\\\href{javascript:alert(1)}{x}$'
    return [Pair(hand_in(RIGHT | {"explain": text}), hand_in(), points=FULL)]


PAGES = "tests/grading/reports/test_safe_markdown.py"
INTAKE.run(
    "live HTML, foreign addresses, styles and macros on the pages of graders and students",
    "L",
    f"{PAGES}::test_nothing_of_a_students_text_is_live_on_a_page",
)
INTAKE.run(
    "Markdown that costs the square of its length in rendering",
    "D",
    f"{PAGES}::test_no_text_takes_the_square_of_its_length",
)
INTAKE.run(
    "a file, folder or link that cannot be read, is no regular file, is not UTF-8, or leads elsewhere on any level",
    "D",
    "tests/grading/submissions/test_files.py",
)
INTAKE.run(
    "half characters in a notebook of an earlier release",
    "D",
    "tests/grading/submissions/test_submission.py::test_a_half_emoji_in_an_older_release_stops_nobody",
)
INTAKE.run(
    "ids that nbgrader's patterns and pages misread: [x], .hidden, a newline, HTML",
    "L",
    "tests/acceptance/test_runs.py::test_ids_that_nbgrader_misreads_are_refused_with_a_reason",
)
INTAKE.run(
    "a folder linked to a classmate's, and files set aside through a link",
    "F",
    "tests/acceptance/test_aside.py",
)
INTAKE.run(
    "a text on which reading, the search of the folder, the graded notebook or the page hangs, crashes or grows",
    "D",
    "tests/grading/workflows/test_submission_process.py",
)
INTAKE.run(
    "resubmitted while it is graded: the verdict's stamp is that of the bytes that were read",
    "N",
    "tests/grading/workflows/test_store.py::test_a_file_that_is_replaced_while_it_is_graded_is_graded_again",
)
INTAKE.run(
    "a linked folder in a download, or in the course that it is collected into",
    "L",
    "tests/grading/workflows/test_collect.py",
)
INTAKE.run(
    "a hostile class in a real browser: formgrader and feedback ask no other host, and run no script",
    "L",
    "tests/acceptance/test_hostile_pages.py",
)
INTAKE.run(
    "hidden inputs drawn beforehand from the seeds in the public repository",
    "F",
    "tests/assignments/test_secret_seeds.py",
)
