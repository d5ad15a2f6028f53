"""The glossary has the terms of every chapter in four languages, each in its own script, and its links lead on."""

import re

import pytest

from tools.book_pages import BOOK, toc_pages

TEXT = (BOOK / "glossary.md").read_text("utf-8")
LANGUAGES = ("zh-Hans", "ko", "vi")
SCRIPTS = {"zh-Hans": r"[\u4e00-\u9fff]", "ko": r"[\uac00-\ud7a3]", "vi": r"[a-z]"}
FOREIGN = {"zh-Hans": r"[\uac00-\ud7a3]", "ko": r"[\u4e00-\u9fff]", "vi": r"[\u4e00-\u9fff\uac00-\ud7a3]"}

NEEDED = """
ablation; AdaBN; arithmetic intensity; batch normalization; batch renormalization; Bessel's correction; bias;
biased; closed form; complex step; computational graph; condition number; convolution; covariate shift; domain
adaptation; dropout; effective learning rate; evaluation mode; exploding gradient; fold; ghost batch; gradient
check; group, instance, layer norm; importance weighting; independent and identically distributed; internal
covariate shift; Jacobian; local response normalization; momentum; moving average; null space; population
statistics; precise BN; projection; recurrent net; regularization; running statistics; saturated; scale and
shift; scale invariance; shuffle; smoothness; synchronized batch norm; training mode; upstream gradient;
variance; vector-Jacobian product; weight decay; whitening
"""


def rows() -> dict[str, list[list[str]]]:
    """The rows of each table, by the heading above it."""
    parts = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)
    found = {}
    for heading, part in zip(parts[1::2], parts[2::2], strict=True):
        lines = [line for line in part.splitlines() if line.startswith("| ") and not line.startswith("| English")]
        if lines:
            found[heading] = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return found


ROWS = [pytest.param(row, id=row[0]) for table in rows().values() for row in table]


@pytest.mark.parametrize("row", ROWS)
def test_a_term_has_its_meaning_and_three_translations_in_their_own_scripts(row: list[str]) -> None:
    assert len(row) == 5 and len(row[1]) >= 6
    for language, cell in zip(LANGUAGES, row[2:], strict=True):
        found = re.fullmatch(rf'<span lang="{language}">(.+)</span>', cell)
        assert found, cell
        assert re.search(SCRIPTS[language], found[1], re.IGNORECASE), found[1]
        assert not re.search(FOREIGN[language], found[1]), found[1]


@pytest.mark.parametrize("term", [term.strip() for term in NEEDED.replace("\n", " ").split(";")])
def test_a_term_of_the_course_is_there(term: str) -> None:
    assert any(re.search(rf"\b{re.escape(term)}\b", row[0]) for table in rows().values() for row in table)


def test_no_term_stands_twice_and_every_table_is_in_order() -> None:
    terms = [row[0] for table in rows().values() for row in table]
    assert len(terms) == len(set(terms))
    for heading, table in rows().items():
        names = [row[0].lower() for row in table]
        assert names == sorted(names), heading


def test_one_word_is_not_used_for_two_terms() -> None:
    for number, language in enumerate(LANGUAGES, 2):
        words = [row[number] for table in rows().values() for row in table]
        assert sorted(word for word in set(words) if words.count(word) > 1) == [], language


def test_the_terms_lead_to_pages_of_the_book() -> None:
    pages = {f"{page.removeprefix('book/')}.md" for page in toc_pages()}
    linked = {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", TEXT)}
    assert linked - pages == set()
