"""The page that a student gets back stands alone, and nothing of the student's is live in it."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from bncourse.grading.reports.feedback_page import LONGEST, FeedbackExporter, mathml

TEXT = r"""Both $\frac{\partial \ell}{\partial \sigma^2}$ and
$$\begin{aligned} a &= b \\ c &= d \end{aligned}$$
and \begin{equation} \hat{x} = y \end{equation} are formulas; `$code$` is none.
"""


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


def page() -> str:
    cells = [nbformat.v4.new_markdown_cell(TEXT), nbformat.v4.new_code_cell("x = '<script>alert(1)</script>'")]
    for cell in cells:
        cell.metadata["nbgrader"] = {}
    resources = {"nbgrader": {"notebook": "backward", "score": 1.0, "max_score": 2.0, "late_penalty": 0}}
    templates = Path(str(pytest.importorskip("nbgrader").__file__)).parent / "server_extensions" / "formgrader"
    exporter = FeedbackExporter(
        template_name="feedback",
        extra_template_basedirs=[str(templates / "templates")],
        extra_template_paths=[str(templates / "static" / "node_modules" / "bootstrap" / "dist" / "css")],
    )
    return exporter.from_notebook_node(nbformat.v4.new_notebook(cells=cells), resources)[0]


def test_formulas_are_drawn_by_the_browser_itself() -> None:
    made = page()
    assert made.count("<math") == 3 and "<mfrac>" in made and "<mtable>" in made
    assert "<code>$code$</code>" in made


def test_the_page_fetches_and_runs_nothing() -> None:
    made = page()
    assert not re.search(r"<script|<link|<iframe|src=[\"']?http|@font-face|@import", made)
    assert "default-src 'none'" in made and "&lt;script&gt;" in made.replace("</span>", "").replace("&#39;", "'")


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_asks_nobody_and_has_no_complaint(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "backward.html"
    path.write_text(page())
    context = browser.new_context(viewport={"width": 375, "height": 800})
    shown = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto(path.as_uri())
    shown.wait_for_load_state("networkidle")
    assert (asked, said) == ([path.as_uri()], [])
    assert shown.evaluate("document.documentElement.scrollWidth") <= 375
    assert shown.locator("mfrac").bounding_box()["height"] > 10
    assert shown.evaluate("getComputedStyle(document.querySelector('pre')).wordBreak") == "normal", "words are cut"
    context.close()
