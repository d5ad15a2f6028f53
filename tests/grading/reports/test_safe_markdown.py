"""Nothing of a student's text is live where nbgrader's own templates render it."""

import os
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import nbformat
import nbgrader
import pytest
from nbconvert.exporters import HTMLExporter

from bncourse.grading.gradebook.marks import Marks
from bncourse.grading.reports.feedback_page import feedback_page
from bncourse.grading.reports.safe_markdown import LIMIT, safe_markdown
from bncourse.grading.reports.tex_commands import COMMANDS, ENVIRONMENTS
from tests.grading.hostile_text import Page, mixture

MIXTURES = int(os.environ.get("BNCOURSE_MIXTURES", "500"))
A_PAGE = 500
"""Cells on one page: to fill in the template takes longer than to read a text."""
TEMPLATES = Path(str(nbgrader.__file__)).parent / "server_extensions" / "formgrader"
FACTS = {"notebook": "small", "score": 1.0, "max_score": 2.0, "late_penalty": 0}


@cache
def exporter(template: str) -> HTMLExporter:
    return HTMLExporter(
        template_name=template,
        extra_template_basedirs=[str(TEMPLATES / "templates")],
        extra_template_paths=[str(TEMPLATES / "static" / "node_modules" / "bootstrap" / "dist" / "css")],
    )


def rendered(template: str, texts: Sequence[str]) -> Page:
    """A page of nbgrader's, formgrader's or feedback's, with these text cells."""
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    if template == "feedback":
        for number, cell in enumerate(cells):
            cell.id = f"after-{number}"  # a student's own
        return Page(feedback_page(nbformat.v4.new_notebook(cells=cells), Marks("ada")))
    resources = {"nbgrader": dict(FACTS), "base_url": "", "index": 0, "total": 1}
    return Page(exporter(template).from_notebook_node(nbformat.v4.new_notebook(cells=cells), resources)[0])


@cache
def empty(template: str) -> Page:
    return rendered(template, ["a text"])


def live(template: str, texts: Sequence[str]) -> list[str]:
    """What is on the page with these texts, and not on the page without."""
    page, without = rendered(template, texts), empty(template)
    unbalanced = [f"unclosed <{tag}>" for tag, count in (page.unclosed - without.unclosed).items() if tag not in VOID]
    return [each for each in page.foreign if each not in without.foreign] + unbalanced


VOID = ("br", "hr")

LIVE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<ScRiPt\n>alert(1)</sCrIpT>",
    '<\\data tabindex=1 autofocus onfocus="alert(1)">',
    "<\\style>body{background:url(http://e.org)}</style>",
    "<<script>script>alert(1)<</script>",
    "<svg/onload=alert(1)>",
    "<math><a xlink:href=javascript:alert(1)>x</a></math>",
    "<!-- --><?php ?><![CDATA[<b>]]>",
    "</div></div><input id=x>",
    "[x](javascript:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    '[x](https://e.org "title")',
    "[x][y]\n\n[y]: javascript:alert(1)",
    "[x][y]\n\n[y]:\n javascript:alert(1)",
    "[y]\n\n> [y]: data:text/html,x",
    "[x\n](javascript:alert(1))",
    "<javascript:alert(1)>",
    "<mailto:a@b.c> <a@b.c>",
    "![x](https://e.org/seen.png)",
    "!![x](https://e.org/seen.png)",
    "\\!![x](https://e.org/seen.png)",
    "![x](attachment:x.svg)",
    "![x][y]\n\n[y]: https://e.org/seen.png",
    "$<script>alert(1)</script>$",
    "$$<img src=x onerror=alert(1)>$$",
    "`<script>` and\n\n```\n<script>alert(1)</script>\n```",
    "```mermaid\n<img src=x onerror=alert(1)>\n```",
    "~~~ mermaid\n&lt;img src=x onerror=alert(1)&gt;\n~~~",
    "    <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "a\u202e<script>",
    "<\u200bscript>",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\\\href{javascript:alert(1)}{x}$",
    "\\$\\\\href{javascript:alert(1)}{x}\\$",
    "$\\let\\x\\href \\def\\y{z}$",
    "\\\\(\\unicode{x3c}\\\\) \\\\[\\require{html}\\\\]",
    "\\begin{foo}x\\end{foo} \\begin{align}\\style{color:red}{x}\\end{align}",
    "# test-scale\n\ntest scale\n===\n\n> statusmessage\n> ---",
    "- [x] done\n- [ ] not done",
    "statusmessage\n=-\n\n> statusmessage\n> -=\n\n- test scale\n  =-=",
    "# \u3000test-scale\n\n## \u00a0test scale\n\n- #\t\u2003statusmessage",
)


@pytest.mark.parametrize("template", ["formgrade", "feedback"])
def test_nothing_of_a_students_text_is_live_on_a_page(template: str) -> None:
    for text in LIVE:
        assert live(template, [safe_markdown(text)]) == [], text


def test_the_same_texts_are_live_where_they_are_not_made_safe() -> None:
    harmless = [text for text in LIVE if "attachment" not in text and not live("formgrade", [text])]
    assert len(harmless) < len(LIVE) / 3, harmless


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("count", [MIXTURES, pytest.param(200 * MIXTURES, marks=pytest.mark.long)])
@pytest.mark.parametrize("template", ["formgrade", "feedback"])
def test_no_mixture_is_live_on_a_page_and_each_is_clean_after_one_cleaning(template: str, count: int) -> None:
    for start in range(0, count, A_PAGE):
        texts = [safe_markdown(mixture(number)) for number in range(start, start + A_PAGE)]
        assert live(template, texts) == [], f"mixtures {start} to {start + A_PAGE}"
        assert [safe_markdown(text) for text in texts] == texts


ACTING = """href url style class cssId require data mmlToken unicode csname def let newcommand renewcommand
newenvironment includegraphics bbox label ref eqref color textcolor colorbox fcolorbox definecolor toggle mathtip
texttip enclose rule Rule raise lower moveleft hspace kern mathchoice verb html htmlData action"""


def test_no_command_is_kept_that_does_more_than_draw() -> None:
    acting = ACTING.split()
    assert not COMMANDS & set(acting)
    assert not ENVIRONMENTS & {"foo", "CD", "prooftree", "document", "html"}
    for name in acting:
        assert safe_markdown(f"$\\{name}{{x}}$ \\\\{name}") == f"$\\ {name}{{x}}$ \\\\ {name}"


def test_cleaning_deletes_nothing() -> None:
    for number in range(300):
        text = mixture(number).replace("\r\n", "\n")
        shown = iter(safe_markdown(text))
        visible = [c for c in text if c.isascii() and (c.isprintable() or c in "\n\t")]
        assert all(c in shown for c in visible), text


def test_ordinary_answers_stay_as_they_are() -> None:
    text = r"""By definition $\sum_i (x_i - \mu) = 0$, *so* `x[0]` is fine & [the paper](https://example.org) agrees.

- $1 < 2$ and a <= b
- \(\frac{\partial \ell}{\partial x} \in \mathbb{R}^{m \times n}\)

| x | y |
|---|---|
| 1 | 2 |

\begin{align}
\hat{x} &= \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \\
y &= \gamma \hat{x} + \beta \tag{1}
\end{align}

```python
print("a\n", x[i])
```
"""
    assert safe_markdown(text) == text


@pytest.mark.parametrize("text", ["a" * 2 * LIMIT, "<a" * LIMIT, "\x00" * LIMIT, "<a" * (LIMIT // 2), "# a\n" * LIMIT])
def test_long_answers_are_cut_to_a_length_that_stays(text: str) -> None:
    shown = safe_markdown(text)
    assert len(shown) <= LIMIT and "not shown" in shown
    assert safe_markdown(shown) == shown


@pytest.mark.parametrize("unit", ["\\", "\\\\(", "\\begin{align}", "["])
def test_no_text_takes_the_square_of_its_length(unit: str) -> None:
    """Four times the text takes some four times as long to clean and to render, not sixteen times."""

    def seconds(length: int) -> float:
        start = time.process_time()
        rendered("feedback", [safe_markdown(unit * (length // len(unit)))])
        return time.process_time() - start

    assert seconds(LIMIT) < 9 * seconds(LIMIT // 4) + 0.3
