from html.parser import HTMLParser

import pytest
from nbconvert.filters import markdown2html

from bncourse.grading.reports.safe_markdown import LIMIT, safe_markdown

HARMLESS = {"p", "a", "code", "pre", "div", "span", "em", "strong", "ul", "ol", "li", "br", "h1", "h2", "blockquote"}


class Live(HTMLParser):
    """Collects what a browser would run, follow or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in HARMLESS:
            self.found.append(tag)
        for name, value in attrs:
            if (
                name.startswith("on")
                or name == "src"
                or (name == "href" and not (value or "").startswith(("http", "#")))
            ):
                self.found.append(f"{tag} {name}={value}")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<ScRiPt\n>alert(1)</sCrIpT>",
        "[x](javascript:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "[x]( javascript:alert(1))",
        "[x](<javascript:alert(1)>)",
        "[x][y]\n\n[y]: javascript:alert(1)",
        "[x][y]\n\n[y]:\n javascript:alert(1)",
        "[x\n](javascript:alert(1))",
        "<javascript:alert(1)>",
        "![x](https://example.org/seen.png)",
        "![x][y]\n\n[y]: https://example.org/seen.png",
        "$<script>alert(1)</script>$",
        "$$<img src=x onerror=alert(1)>$$",
        "`<script>` and\n\n```\n<script>alert(1)</script>\n```",
        "    <script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<svg/onload=alert(1)>",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "a\u202e<script>",
        "<\u200bscript>",
    ],
)
def test_nothing_of_a_students_text_is_live_on_a_page(text: str) -> None:
    page = Live()
    page.feed(str(markdown2html(safe_markdown(text))))
    assert page.found == []


def test_the_same_text_is_live_where_it_is_not_made_safe() -> None:
    page = Live()
    page.feed(str(markdown2html("<img src=x onerror=alert(1)> [x](javascript:alert(1))")))
    assert len(page.found) >= 3


def test_live_formula_commands_lose_their_backslash() -> None:
    assert "\\href" not in safe_markdown(r"$\href{javascript:alert(1)}{x}$ $\let\x\href$")


def test_ordinary_answers_stay_as_they_are() -> None:
    text = "By definition $\\sum_i (x_i - \\mu) = 0$, *so* `x[0]` is fine & [the paper](https://example.org) agrees."
    assert safe_markdown(f"{text}\n\n- 1 < 2") == f"{text}\n\n- 1 < 2"


def test_long_answers_are_cut() -> None:
    assert len(safe_markdown("a" * (2 * LIMIT))) < LIMIT + 100
