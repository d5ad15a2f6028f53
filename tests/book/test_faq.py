"""The FAQ answers every question and misreading that the course collected, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAQ = ROOT / "book" / "faq.md"
IDS = [f"Q{number:02}" for number in range(1, 31)] + [f"M{number:02}" for number in range(1, 13)]

SHORTEST_ANSWER = 100
"""Characters of an answer without its links and citations: less is an assertion."""


def entries(text: str) -> dict[str, str]:
    """Each entry's text by its id, from its label to the next label or heading of the second level."""
    found = re.findall(r"^\(faq-([qm]\d\d)\)=\n### (\S+?)\. (.*?)(?=^\(faq-|^## |\Z)", text, re.DOTALL | re.MULTILINE)
    for label, heading, _ in found:
        assert label == heading.lower(), f"label {label} stands over {heading}"
    return {heading: body for _, heading, body in found}


def links(body: str) -> list[str]:
    """Targets of the entry's links."""
    return re.findall(r"\]\(([^)\s]+)\)", body)


def toc() -> set[Path]:
    """Every page of the book."""
    listed = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return {ROOT / f"{name}.md" for name in listed}


TEXT = FAQ.read_text(encoding="utf-8")
ENTRIES = entries(TEXT)


def test_the_faq_is_a_page_of_the_book() -> None:
    assert FAQ in toc()


def test_no_entry_is_missing_unknown_or_written_twice() -> None:
    assert sorted(re.findall(r"^### ([QM]\d\d)\.", TEXT, re.MULTILINE)) == sorted(IDS)
    assert sorted(ENTRIES) == sorted(IDS)


@pytest.mark.parametrize("entry", IDS)
def test_each_entry_has_an_answer(entry: str) -> None:
    answer = ENTRIES[entry].partition("\n")[2]
    prose = re.sub(r"\[[^\]]*\]\([^)]*\)|\{[a-z:]+\}`[^`]*`", "", answer)
    assert len(" ".join(prose.split())) >= SHORTEST_ANSWER


@pytest.mark.parametrize("entry", IDS)
def test_each_entry_links_to_the_place_that_shows_it(entry: str) -> None:
    """At least one link leads to a page of the book, and every link resolves."""
    targets = links(ENTRIES[entry])
    pages = [target for target in targets if target.split("#")[0].endswith(".md")]
    assert pages, f"{entry} names no page of the book"
    for target in targets:
        name, _, anchor = target.partition("#")
        if not name:
            assert anchor.removeprefix("faq-").upper() in ENTRIES, f"{entry}: {target}"
            continue
        page = (FAQ.parent / name).resolve()
        assert page in toc(), f"{entry}: {name} is no page of the book"
        assert page.is_file(), f"{entry}: {name} does not exist"


@pytest.mark.parametrize("entry", IDS)
def test_every_number_of_ours_is_bound(entry: str) -> None:
    """A percentage is glued from a cell, or its sentence cites the paper that measured it."""
    for sentence in re.split(r"(?<=[.?!])\s", ENTRIES[entry].partition("\n")[2]):
        bare = re.findall(r"(?<![\d.`])\d+(?:\.\d+)? %", sentence)
        assert not bare or "{cite:" in sentence or "figure" in sentence, f"{entry}: {bare} in {sentence!r}"


def test_a_dead_link_would_be_found() -> None:
    assert links("see [there](why/nowhere.md#x)") == ["why/nowhere.md#x"]
    assert (FAQ.parent / "why/nowhere.md").resolve() not in toc()


def test_an_entry_without_its_label_would_be_found() -> None:
    assert entries("### Q01. A question?\n\nAn answer.\n") == {}
