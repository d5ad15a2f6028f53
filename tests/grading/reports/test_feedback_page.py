"""The page that a student gets back: what was wrong at the top, nothing live in it, and nothing fetched."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.core import render
from bncourse.grading.core.records import CellOutput, SubmissionRecord, Verdict
from bncourse.grading.gradebook.marks import Mark, Marks
from bncourse.grading.reports.autograded import autograded_notebook
from bncourse.grading.reports.feedback_page import _template, feedback_page, linked
from bncourse.grading.reports.markdown_page import LONGEST, mathml, own_markdown_html
from bncourse.grading.submissions.attempted import Added
from bncourse.grading.submissions.pictures import Picture
from tests.grading.small import MASTER, RIGHT

TEXT = r"""Both $\frac{\partial \ell}{\partial \sigma^2}$ and
$$\begin{aligned} a &= b \\ c &= d \end{aligned}$$
and \begin{equation} \hat{x} = y \end{equation} are formulas; `$code$` is none.
"""
SCRIPT = "<script>alert(1)</script>"
POINTS = {cell.grade_id: cell.points for cell in MASTER.cells if cell.kind in ("test", "written")}
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63680000008200816ef5c8f90000000049454e44ae426082"
)


@pytest.mark.parametrize(
    "live",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;script&gt;alert(1)&lt;/script&gt;}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(http://example.org)}{x}",
        r"\class{panel}{x}",
        r"\includegraphics{http://example.org/x.png}",
    ],
)
@pytest.mark.parametrize("block", [True, False])
def test_nothing_live_comes_out_of_a_formula(live: str, block: bool) -> None:
    shown = mathml(live, block=block)
    assert "<script" not in shown and 'class="formula"' in shown
    assert not re.search(r"<[^>]*(href|style=|class=\"panel|http)", shown)


@pytest.mark.parametrize("odd", ["{" * 1_000, "x^" * 500, r"\left(" * 300, "\\", "&", "", "\ud800", r"\begin{array}"])
def test_what_is_no_formula_is_shown_as_it_was_typed(odd: str) -> None:
    assert mathml(odd, block=False).startswith(("<code", "<math"))


def test_a_formula_of_any_length_takes_no_time() -> None:
    assert mathml("a_b" * LONGEST, block=False).startswith("<code")


def graded(
    lost: dict[str, tuple[str, str]] | None = None, *, waits: tuple[str, ...] = (), **facts: Any
) -> tuple[dict[str, Any], Marks]:
    """A graded notebook of the small assignment, and its marks; `lost` holds outcome and message by test cell."""
    lost = lost or {}
    verdicts = tuple(
        Verdict(name, *_said(lost.get(name), points))  # type: ignore[arg-type]
        for name, points in POINTS.items()
        if name != "explain"
    )
    record = SubmissionRecord("ada", "small", "correct", verdicts, outputs=(CellOutput("scale", SCRIPT, (DOT,)),))
    answers = dict(RIGHT) | {"explain": TEXT, "number": f"values_per_channel = 200  # {SCRIPT}"}
    added = [Added("after:scale:1", "code", "print('my own')"), Added("after:scale:text1", "markdown", "My own text")]
    pictures = {"explain": (Picture("image/png", DOT),)}
    notebook = autograded_notebook(render.release_notebook(MASTER), record, answers, added, pictures)
    cells = {
        name: Mark(0.0 if name in lost or name in waits else points, points, name in waits)
        for name, points in POINTS.items()
    }
    return notebook, replace(Marks("ada", cells=cells), **facts)


def _said(lost: tuple[str, str] | None, points: float) -> tuple[str, float, float, str]:
    return (lost[0], 0.0, points, lost[1]) if lost else ("correct", points, points, "")


def top(page: str) -> str:
    """The words of the box at the top, without tags."""
    box = page.partition('<section class="top"')[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", box.partition(">")[2]).split())


def test_what_cost_most_stands_first_and_three_things_at_most() -> None:
    lost = {
        "test-backward": ("wrong", "A path is missing.\nMore."),
        "test-scale": ("crashed", "Your function raised TypeError."),
        "test-running": ("wrong", "The running mean is late."),
        "test-number": ("wrong", "It is another number."),
    }
    said = top(feedback_page(*graded(lost)))
    assert said.startswith("What cost points backward (-4): A path is missing. scale (-2): Your function raised")
    assert "And 1 more" in said and "another number" not in said and "More." not in said


def test_what_says_the_same_is_said_once() -> None:
    lost = dict.fromkeys(("test-forward", "test-backward", "test-scale"), ("crashed", "NameError: dy"))
    assert "forward and 2 more (-9): NameError: dy" in top(feedback_page(*graded(lost)))


def test_a_right_notebook_is_folded_and_a_wrong_task_is_open() -> None:
    assert "All of it is right." in top(feedback_page(*graded()))
    assert '<details class="task" open>' not in feedback_page(*graded())
    assert '<details class="task" open>' in feedback_page(*graded({"test-scale": ("wrong", "No.")}))


def test_right_and_wrong_are_told_by_words_and_signs() -> None:
    page = feedback_page(*graded({"test-scale": ("wrong", "No.")}, waits=("explain",)))
    for sign, word in (("✓", "right"), ("✗", "wrong"), ("…", "not marked yet")):
        assert re.search(rf'aria-hidden="true">{sign}</span> {word}', page), word


def test_what_is_not_marked_yet_is_no_zero() -> None:
    page = feedback_page(*graded(waits=("explain",)))
    assert "12 of 14 points so far" in page and "– of 2" in page and "0 of 2" not in page
    assert "Not marked yet: explain (2 points). They are not in the sum." in top(page)


def test_a_late_penalty_is_shown_and_taken_off() -> None:
    page = feedback_page(*graded(late=3.3))
    assert "10.7 of 14 points" in page and "(late, -3.3)" in page
    assert "Handed in late: 3.3 points taken off." in top(page)


def test_name_and_dates_stand_on_the_page() -> None:
    notebook, marks = graded(name="Ada <b>", handed_in=datetime(2027, 2, 3, 9, 5, tzinfo=UTC))
    page = feedback_page(notebook, marks, today=date(2027, 3, 1))
    assert (
        "<strong>Ada &lt;b&gt;</strong> (ada), handed in 3 February 2027, 09:05 UTC. Page made on 1 March 2027" in page
    )


def test_a_comment_opens_its_task() -> None:
    page = feedback_page(*graded(comments={"explain": "Which *minimum*? <script>", "scale": "No response."}))
    assert "Which <em>minimum</em>?" in page and "No response." not in page and '<details class="task" open>' in page


def test_an_unreadable_file_is_said_once() -> None:
    lost = {name: ("unreadable", "The notebook cannot be read: it is a ZIP.") for name in POINTS if name != "explain"}
    page = feedback_page(*graded(lost, waits=tuple(POINTS)))
    assert page.count("it is a ZIP") == 1 and "<details" not in page and "href=" not in page


@pytest.mark.parametrize("book", ["https://example.org/bn", "https://example.org/bn/"])
def test_a_chapter_is_a_link_where_the_book_has_an_address(book: str) -> None:
    said = 'No.\nRead on: chapter "The graph and the staged pass" (book/gradients/graph)\n<b>'
    link = '<a href="https://example.org/bn/book/gradients/graph.html">The graph and the staged pass</a>'
    assert str(linked(said, book)) == f"No.\nRead on: {link}\n&lt;b&gt;"
    assert "<a" not in linked(said, "") and "<a" not in linked('Read on: "x" (javascript:y)', book)


def test_the_students_pictures_and_prints_are_on_it() -> None:
    page = feedback_page(*graded())
    assert page.count("data:image/png;base64,") == 2, "a picture in a text, and one that a cell drew"
    assert "print(&#39;my own&#39;)" in page and "My own text" in page


def test_formulas_are_drawn_by_the_browser_itself() -> None:
    made = feedback_page(*graded())
    assert made.count("<math") == 3 and "<mfrac>" in made and "<mtable>" in made
    assert "<code>$code$</code>" in made


def test_the_page_fetches_and_runs_nothing() -> None:
    made = feedback_page(*graded())
    assert not re.search(r"<script|<link|<iframe|src=[\"']?http|@font-face|@import", made)
    assert "default-src 'none'" in made and made.count("&lt;script&gt;") == 2


def test_what_all_pages_share_is_made_once() -> None:
    """A class of 226 waits seconds: 226 pages of a real assignment took 3 seconds of processor time."""
    notebook, marks = graded()
    feedback_page(notebook, marks)
    before = own_markdown_html.cache_info(), _template.cache_info()
    feedback_page(*graded({"test-scale": ("wrong", "No.")}))
    assert [cache.misses for cache in before] == [own_markdown_html.cache_info().misses, _template.cache_info().misses]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_asks_nobody_and_has_no_complaint_nor_has_axe(browser: Any, tmp_path: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "backward.html"
    path.write_text(feedback_page(*graded({"test-scale": ("wrong", "No.")}, waits=("explain",))))
    context = browser.new_context(viewport={"width": 375, "height": 800}, color_scheme=scheme)
    shown = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    shown.on("request", lambda request: asked.append(request.url) if not request.url.startswith("data:") else None)
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto(path.as_uri())
    shown.wait_for_load_state("networkidle")
    assert (asked, said) == ([path.as_uri()], [])
    shown.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert shown.evaluate("document.documentElement.scrollWidth") <= 375
    found = Axe().run(shown, options={"resultTypes": ["violations"], "preload": False})
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
    assert shown.locator("mfrac").bounding_box()["height"] > 10
    ink, paper = (
        shown.evaluate(f"getComputedStyle(document.body).{name}.match(/\\d+/g).reduce((sum, n) => sum + +n, 0)")
        for name in ("color", "backgroundColor")
    )
    assert (ink > paper) == (scheme == "dark") and abs(ink - paper) > 500
    context.close()
