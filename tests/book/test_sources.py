"""The pattern that every page keeps, read from the sources: short cells, one sentence a line, no unbound number."""

import re
from pathlib import Path

import pytest
import yaml

from tools.book_pages import BOOK, bare, pages, split

PARTS = ("why", "transform", "gradients", "inference", "convolution", "practice", "beyond")
CHAPTERS = pages(*PARTS)
ALL = pages()

UNIT = r"%|percent|ms\b|µs\b|s\b|seconds?\b|minutes?\b|hours?\b|[kMGT]i?B\b|bytes\b|[GT]B/s|[GT]?FLOPs?\b|x\b|×"
WORD = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|ninety|hundred|thousand"
)
NUMBER = rf"(?:(?<![\w.])\d[\d.,]*|\b(?:{WORD}))"
FAST = "fast|faster|slow|slower|quick|quicker|cheap|cheaper|shorter|accurate|better|worse|good|well|bad"
COST = "time|speed|memory|cost|accuracy|error"
CLAIMS = (
    rf"(?<![\w.])[-+]?\d[\d,.]*\s?(?:{UNIT})",  # 14 %, 3.5 s, 2.3x
    rf"\b(?:{WORD})\s(?:percent|per cent|milliseconds|seconds|minutes|hours)\b",
    rf"{NUMBER}[\s-]times (?:as )?(?:{FAST})\b",  # 2.3 times shorter, six times as fast
    rf"\b(?:twice|half|double|{NUMBER} times) (?:as (?:{FAST})|the (?:{COST}))\b",
    rf"\b(?:half|a third|a quarter|a fifth|a tenth) of the (?:{COST})\b",
    rf"{NUMBER} (?:percentage )?points? (?:of|better|worse|higher|lower|more|less)\b",
    r"\b(?:accura\w+|errors?|loss(?:es)?)\b[^.,;:?!|]{0,25}?(?<![\w.])\d+\.\d+",  # an accuracy of 0.97
)
NUMBER_THAT_CLAIMS = re.compile("|".join(CLAIMS), re.IGNORECASE)
HIDDEN_PERCENT = re.compile(r"\$[^$]*\d\s*(?:\\,|~)*\s*\\%[^$]*\$|`\d[\d.]* ?%`")
"""A percentage in maths or in code, where `bare` does not look."""

LABEL = re.compile(r"^\(([\w-]+)\)=$|\bfigure: \{name: ([\w-]+)|^:(?:label|name): ([\w-]+)", re.MULTILINE)
"""A label before a heading, of a drawn figure, or of an equation or another directive."""
DRAWS = re.compile(r"from bncourse\.plots(?!\.tables)")


def unbound(line: str) -> str:
    """Return the number in the line that claims something and is neither glued nor cited, or nothing.

    What `{glue}` brings is gone from the bare line, so a number that is left there is not bound by a glued one beside
    it. Headings and questions claim nothing, nor does the statement of an exercise; 95 % is the name of our intervals.
    """
    if line.startswith("#") or line.rstrip().endswith("?") or re.match(r"\*\*\d+\. ", line) or "{cite" in line:
        return ""
    found = NUMBER_THAT_CLAIMS.search(bare(line).replace("95 %", "")) or HIDDEN_PERCENT.search(line)
    return found[0] if found else ""


def name(page: Path) -> str:
    """Return a page's name in the report."""
    return page.relative_to(BOOK).as_posix()


@pytest.mark.parametrize("page", ALL, ids=name)
def test_no_number_with_a_unit_is_unbound(page: Path) -> None:
    prose, _ = split(page.read_text("utf-8"))
    loose = [f"{page.name}:{number}: {unbound(line)!r} in {line.strip()}" for number, line in prose if unbound(line)]
    assert not loose, "\n".join(["glue these numbers from a cell, or cite them on the same line:", *loose])


@pytest.mark.parametrize(
    "line",
    [
        "It costs 14 % more.",
        "It took 3.5 s on our machine.",
        "That is 2.3x faster.",
        "It took {glue:text}`a:.1f` s, which is 40 % less.",
        "It is 2.3 times shorter.",
        "Training is three times as fast.",
        "It needs half the time, or twice the memory.",
        "It took a quarter of the time.",
        "Ten percent of the images were wrong.",
        "The test accuracy reaches 0.97 in the end.",
        "It is 2.6 points better.",
        "It keeps $97\\,\\%$ of them.",
        "It keeps `97 %` of them.",
    ],
)
def test_a_number_that_claims_something_is_found(line: str) -> None:
    assert unbound(line)


@pytest.mark.parametrize(
    "line",
    [
        "Is it 1 % or 10 %?",
        "Four samples and 3 channels.",
        "Section 3.3 of 2015.",
        "It took {glue:text}`a:.1f` s, less than {glue:text}`b:.0f` %.",
        "It costs 14 % more {cite:p}`wu2021`.",
        "The band is the 95 % interval.",
        "**2. A batch.** Training takes 3 s a step.",
        "With $\\epsilon = 0.1$ and ten times the weights the output is the same.",
    ],
)
def test_a_number_that_claims_nothing_or_is_bound_passes(line: str) -> None:
    assert not unbound(line)


@pytest.mark.parametrize("page", ALL, ids=name)
def test_one_sentence_a_line(page: Path) -> None:
    prose, _ = split(page.read_text("utf-8"))
    crowded = [
        f"{page.name}:{number}: {line.strip()}"
        for number, line in prose
        if not line.startswith(("|", "#")) and re.search(r"[a-z)]{2}[.!] [A-Z]", bare(line))
    ]
    assert not crowded, "\n".join(crowded)


@pytest.mark.parametrize("page", [*ALL, BOOK.parent / "README.md"], ids=lambda page: page.name)
def test_a_table_ends_at_an_empty_line(page: Path) -> None:
    """A line of text right below a table is shown as one more row of it."""
    prose, _ = split(page.read_text("utf-8"))
    rows = {number for number, line in prose if line.startswith("|")}
    below = [(number, line) for number, line in prose if number - 1 in rows and line.strip()]
    swallowed = [f"{page.name}:{number}: {line}" for number, line in below if not line.startswith(("|", ":", "`"))]
    assert not swallowed, "\n".join(swallowed)


@pytest.mark.parametrize("page", ALL, ids=name)
def test_cells_are_short(page: Path) -> None:
    _, cells = split(page.read_text("utf-8"))
    shown = [(line, [row for row in code if row.strip()]) for line, options, code in cells if "remove-" not in options]
    long = [f"{page.name}:{line}: {len(code)} lines" for line, code in shown if len(code) > 15]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("page", ALL, ids=name)
def test_every_page_describes_itself(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith("---\n"), "front matter is missing"
    front = yaml.safe_load(text.split("---\n")[1])
    description = front["myst"]["html_meta"]["description"]
    assert 30 <= len(description) <= 200


@pytest.mark.parametrize("page", CHAPTERS, ids=name)
def test_every_chapter_asks_predicts_surprises_and_exercises(page: Path) -> None:
    text = page.read_text("utf-8")
    for needed in (":class: question", ":class: prediction", ":class: surprise", ":class: dropdown"):
        assert needed in text, needed
    assert re.search(r"^## Exercises", text, re.MULTILINE)
    assert re.search(r"^## Check yourself", text, re.MULTILINE)
    assert "assignment" in text


@pytest.mark.parametrize("page", CHAPTERS, ids=name)
def test_every_drawn_figure_has_a_name_and_a_caption(page: Path) -> None:
    _, cells = split(page.read_text("utf-8"))
    drawn = [(line, options) for line, options, code in cells if any(DRAWS.search(row) for row in code)]
    assert drawn, "a chapter without a figure"
    for line, options in drawn:
        assert "caption:" in options and "name:" in options, f"{page.name}:{line}"


@pytest.mark.parametrize("page", CHAPTERS, ids=name)
def test_the_first_screen_shows_the_question_in_a_picture(page: Path) -> None:
    head = page.read_text("utf-8").partition("\n## ")[0]
    question = head.index(":class: question")
    assert "figure: {name:" in head[question:], "no figure between the question and the first section"


def test_a_label_is_given_once_in_the_book() -> None:
    found: dict[str, str] = {}
    for page in ALL:
        for groups in LABEL.findall(page.read_text("utf-8")):
            label = "".join(groups)
            assert label not in found, f"{label}: {found[label]} and {name(page)}"
            found[label] = name(page)
    assert found


@pytest.mark.parametrize("page", ALL, ids=name)
def test_code_of_the_package_is_included_and_never_copied(page: Path) -> None:
    _, cells = split(page.read_text("utf-8"))
    package = {
        row.strip()
        for path in (BOOK.parent / "bncourse" / "numpy_bn").glob("*.py")
        for row in path.read_text("utf-8").split("\n")
        if row.startswith("def ")
    }
    defined = {re.sub(r"\(.*", "(", row) for row in package}
    for line, _, code in cells:
        copied = [row for row in code if re.sub(r"\(.*", "(", row) in defined]
        assert not copied, f"{page.name}:{line}: {copied}"


@pytest.mark.parametrize("page", ALL, ids=name)
def test_tolerances_are_stated(page: Path) -> None:
    assert not re.search(r"\b(np|torch)\.allclose", page.read_text("utf-8"))


@pytest.mark.parametrize(
    "page", [*ALL, BOOK.parent / "README.md", BOOK / "_ext" / "live.py"], ids=lambda page: page.name
)
def test_check_is_told_of_a_notebook_and_never_of_a_module(page: Path) -> None:
    """`bncourse check` takes a notebook of the course; what another file believes, `bncourse diagnose` says."""
    assert re.findall(r"bncourse check \S+\.py\b", page.read_text("utf-8")) == []
