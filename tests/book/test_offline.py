"""The book as one PDF: every link in it leads somewhere, and the pages are all there."""

import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from tools import offline
from tools.book_pages import toc_pages


@pytest.fixture(scope="module")
def together(site: Path) -> BeautifulSoup:
    """All pages behind one another."""
    return BeautifulSoup(offline.whole(site, toc_pages()), "html.parser")


def test_every_page_is_in_it_and_in_its_contents(together: BeautifulSoup) -> None:
    names = [offline.anchor(page) for page in toc_pages()]
    assert [article["id"] for article in together.find_all("article") if article.get("id")] == names
    listed = [link["href"] for link in together.find("h1", string="Contents").find_next("ul").find_all("a")]
    assert listed == [f"#{name}" for name in names[1:]]


def test_every_link_within_it_leads_somewhere(together: BeautifulSoup) -> None:
    places = {tag["id"] for tag in together.find_all(id=True)}
    targets = {link["href"] for link in together.select("article a[href]")}
    assert {target for target in targets if target.startswith("#")} - {f"#{place}" for place in places} == set()
    assert {target for target in targets if not re.match(r"#|https?:|mailto:", target)} == set()


def test_no_place_in_it_has_two_names(together: BeautifulSoup) -> None:
    places = [tag["id"] for tag in together.find_all(id=True)]
    assert len(places) == len(set(places))


def test_nothing_in_it_is_folded(together: BeautifulSoup) -> None:
    assert together.select("details:not([open]), .admonition.dropdown") == []


def test_what_it_shows_is_on_board(together: BeautifulSoup, site: Path) -> None:
    for tag in together.select("img[src], script[src], link[href]"):
        path = (tag.get("src") or tag.get("href")).partition("?")[0]
        assert path.startswith("data:") or (site / path).exists(), path


@pytest.mark.browser
def test_a_few_pages_print_and_the_first_page_links_to_them(
    browser: Any, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = ["book/intro", "book/gradients/closed_form"]
    for page in pages:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{page}.html").write_text((site / f"{page}.html").read_text("utf-8"), encoding="utf-8")
    (tmp_path / "_static").symlink_to(site / "_static")
    monkeypatch.setattr(offline, "toc_pages", lambda: pages)
    printed = offline.print_whole(tmp_path, browser)
    assert printed.read_bytes().startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) >= 6
    assert f'href="../{offline.NAME}"' in (tmp_path / "book/intro.html").read_text("utf-8")
    assert not (tmp_path / "whole.html").exists()
