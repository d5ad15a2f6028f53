"""The built site, read as files: links lead somewhere, and nothing is in it that should not be."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup

from tools.book import ROOT

pytestmark = [pytest.mark.xdist_group("book"), pytest.mark.slow]

SECRETS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME", str(ROOT), str(Path.home()) + "/", "/tmp/")


def built_pages(site: Path) -> list[Path]:
    """Every HTML page of the site."""
    return sorted(page for page in site.rglob("*.html") if "_static" not in page.parts)


@cache
def soup(page: Path) -> BeautifulSoup:
    """A parsed page."""
    return BeautifulSoup(page.read_text("utf-8"), "html.parser")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Every id of a page."""
    return frozenset(tag["id"] for tag in soup(page).find_all(id=True))


def test_links_within_the_site_resolve(site: Path) -> None:
    broken = []
    for page in built_pages(site):
        for tag in soup(page).find_all("a", href=True):
            path, fragment = urldefrag(tag["href"])
            if re.match(r"[a-z]+:", path):
                continue
            target = (page.parent / unquote(path)).resolve() if path else page
            if not target.exists():
                broken.append(f"{page.name}: {tag['href']}: no such page")
            elif fragment and target.suffix == ".html" and unquote(fragment) not in anchors(target):
                broken.append(f"{page.name}: {tag['href']}: no such anchor")
    assert not broken, "\n".join(broken)


def test_nothing_is_fetched_from_other_hosts(site: Path) -> None:
    fetched = []
    for page in built_pages(site):
        for tag, attribute in (
            ("script", "src"),
            ("img", "src"),
            ("iframe", "src"),
            ("source", "src"),
            ("link", "href"),
        ):
            for found in soup(page).find_all(tag, **{attribute: re.compile(r"^(https?:)?//")}):
                if tag != "link" or "canonical" not in found.get("rel", []):
                    fetched.append(f"{page.name}: {found}")
    assert not fetched, "\n".join(fetched)


def test_no_solution_hidden_test_or_local_path_is_in_the_site(site: Path) -> None:
    leaks = []
    for path in site.rglob("*"):
        if path.suffix in (".html", ".js", ".css", ".svg", ".txt", ".json") and "mathjax" not in path.parts:
            text = path.read_text("utf-8")
            leaks += [f"{path.relative_to(site)}: {secret}" for secret in SECRETS if secret in text]
    assert not leaks, "\n".join(leaks)


def test_every_figure_says_what_it_shows(site: Path) -> None:
    dumb = []
    for page in built_pages(site):
        article = soup(page).find("article")
        for figure in article.select("svg[role=img], img") if article else []:
            words = figure.get("aria-label") or figure.get("alt") or ""
            if len(words) < 20:
                dumb.append(f"{page.name}: {str(figure)[:120]}")
    assert not dumb, "\n".join(dumb)


def test_numbers_in_the_text_are_filled_in(site: Path) -> None:
    empty = []
    for page in built_pages(site):
        for tag in soup(page).select("article .pasted-text, article span.pasted-inline"):
            if tag.get_text().strip() in ("", "nan", "None", "inf"):
                empty.append(f"{page.name}: {tag.parent.get_text()[:100]}")
    assert not empty, "\n".join(empty)


def test_no_figure_shares_an_id_with_another(site: Path) -> None:
    for page in built_pages(site):
        ids = [tag["id"] for tag in soup(page).select("article [id]")]
        twice = {one for one in ids if ids.count(one) > 1}
        assert not twice, f"{page.name}: {sorted(twice)[:5]}"
