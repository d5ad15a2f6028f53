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
NUMBER_WITH_UNIT = re.compile(rf"(?<![\w.])[-+]?\d[\d,.]*\s?(?:{UNIT})")
DRAWS = re.compile(r"from bncourse\.plots(?!\.tables)")
BOUND = ("{glue", "{cite", "{eval}")


def claim(line: str) -> str:
    """Return what the line claims: headings and questions claim nothing, and 95 % is the name of our intervals."""
    claims_nothing = line.startswith("#") or line.rstrip().endswith("?")
    return "" if claims_nothing else bare(line).replace("95 %", "")


def name(page: Path) -> str:
    """Return a page's name in the report."""
    return page.relative_to(BOOK).as_posix()


@pytest.mark.parametrize("page", ALL, ids=name)
def test_no_number_with_a_unit_is_unbound(page: Path) -> None:
    prose, _ = split(page.read_text("utf-8"))
    loose = [
        f"{page.name}:{number}: {line.strip()}"
        for number, line in prose
        if not any(mark in line for mark in BOUND) and NUMBER_WITH_UNIT.search(claim(line))
    ]
    assert not loose, "\n".join(["glue these numbers from a cell, or cite them on the same line:", *loose])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("It costs 14 % more.", True),
        ("It took 3.5 s on our machine.", True),
        ("That is 2.3x faster.", True),
        ("Is it 1 % or 10 %?", False),
        ("Four samples and 3 channels.", False),
        ("Section 3.3 of 2015.", False),
    ],
)
def test_the_search_for_numbers_finds_what_it_should(line: str, found: bool) -> None:
    assert bool(NUMBER_WITH_UNIT.search(claim(line))) is found


@pytest.mark.parametrize("page", ALL, ids=name)
def test_one_sentence_a_line(page: Path) -> None:
    prose, _ = split(page.read_text("utf-8"))
    crowded = [
        f"{page.name}:{number}: {line.strip()}"
        for number, line in prose
        if not line.startswith(("|", "#")) and re.search(r"[a-z)]{2}[.!] [A-Z]", bare(line))
    ]
    assert not crowded, "\n".join(crowded)


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
