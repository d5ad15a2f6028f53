"""Docstrings name the equations of the book that derive what they compute, and each equation has a test of its name."""

import importlib
import inspect
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from tools.book_pages import BOOK, toc_pages

ROOMS = ("bncourse.numpy_bn", "bncourse.torch_bn", "bncourse.gradcheck")
CITATION = re.compile(r"Equations?\s+((?::eq:`eq-[\w-]+`(?:,\s+|\s+and\s+)?)+),?\s+chapter\s+\"([^\"]+)\"\.")
LABEL = re.compile(r"^.*\$\$ \((eq-[\w-]+)\)", re.MULTILINE)
CORE = ("batch_norm_forward", "batch_norm_backward", "batch_norm_backward_staged", "batch_norm_inference_backward")


def docstrings(room: ModuleType) -> dict[str, str]:
    """The docstring of each public name that has one of its own."""
    names = getattr(room, "__all__", None) or [name for name in vars(room) if not name.startswith("_")]
    things = {name: getattr(room, name) for name in names}
    return {name: inspect.getdoc(thing) or "" for name, thing in things.items() if callable(thing)}


def cited(text: str) -> list[tuple[str, str]]:
    """Each label in a docstring, with the chapter that it is said to stand in."""
    found = CITATION.findall(text)
    return [
        (label, " ".join(chapter.split())) for labels, chapter in found for label in re.findall(r"eq-[\w-]+", labels)
    ]


def chapters() -> dict[str, set[str]]:
    """The labels of each page of the table of contents, by the page's title."""
    texts = [(BOOK.parent / f"{page}.md").read_text("utf-8") for page in toc_pages()]
    return {re.search(r"^# (.+)$", text, re.MULTILINE)[1]: set(LABEL.findall(text)) for text in texts}  # type: ignore[index]


CITED = [
    pytest.param(name, label, chapter, id=f"{room.rpartition('.')[2]}.{name}-{label}")
    for room in ROOMS
    for name, text in docstrings(importlib.import_module(room)).items()
    for label, chapter in cited(text)
]


@pytest.mark.parametrize(("name", "label", "chapter"), CITED)
def test_a_cited_equation_stands_in_the_chapter_that_is_named(name: str, label: str, chapter: str) -> None:
    assert label in chapters().get(chapter, set()), f"{name}: {label} is not in {chapter!r}"


def test_every_equation_has_a_test_of_its_name_or_only_defines_one() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_equations*.py"))
    tested = [name.replace("_", "-") for name in re.findall(r"def test_(eq_\w+)\(", tests)]
    blocks = re.findall(r"^DEFINITIONS.*?= \{(.*?)\}", tests, re.MULTILINE | re.DOTALL)
    defined = [label for block in blocks for label in re.findall(r"eq-[\w-]+", block)]
    labels = Counter(label for page in BOOK.rglob("*.md") for label in LABEL.findall(page.read_text("utf-8")))
    assert Counter(tested + defined) == labels


def test_every_mention_of_an_equation_is_understood() -> None:
    for room in ROOMS:
        for name, text in docstrings(importlib.import_module(room)).items():
            assert len(cited(text)) == text.count(":eq:"), name


def test_both_twins_cite_the_same_and_the_core_cites() -> None:
    first, second = (docstrings(importlib.import_module(room)) for room in ROOMS[:2])
    for name in first.keys() & second.keys():
        assert cited(first[name]) == cited(second[name]), name
    assert all(cited(first[name]) for name in CORE)
