"""Ready to publish: every address comes from one place, and before it is set no page names one."""

import functools
import http.server
import json
import re
import shutil
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup

from tools.book import ROOT, build

sys.path.insert(0, str(ROOT / "book" / "_ext"))

PAGE = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
myst:
  html_meta:
    description: A page "of two words" & a number.
---

# A page

```{code-cell} python
print(6 * 7)
```
"""
TOC = "format: jb-book\nroot: book/intro\nchapters:\n  - file: book/deep/plain\n"
PLAIN = "---\nmyst:\n" + PAGE.replace("# A page", "# Plain").partition("\nmyst:\n")[2].partition("```")[0]

REPOSITORY, SITE, HUB = (
    "https://github.com/some-body/a-course",
    "https://some-body.github.io/a-course",
    "https://hub.test",
)


def small_book(folder: Path, **addresses: str) -> Path:
    """Build a book of two pages with the course's own settings and these addresses; return the site."""
    for name in ("book/_ext", "book/_static"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "book/deep").mkdir()
    (folder / "book/intro.md").write_text(PAGE, encoding="utf-8")
    (folder / "book/deep/plain.md").write_text(PLAIN, encoding="utf-8")
    (folder / "book/references.bib").write_text("", encoding="utf-8")
    (folder / "_toc.yml").write_text(TOC, encoding="utf-8")
    settings = (ROOT / "_config.yml").read_text("utf-8")
    unset = 'course_addresses: { repository: "", site: "", jupyterhub: "" }'
    assert settings.count(unset) == 1, "addresses are said in one place, and none is invented"
    said = {"repository": "", "site": "", "jupyterhub": ""} | addresses
    settings = settings.replace(unset, f"course_addresses: {json.dumps(said)}")
    (folder / "_config.yml").write_text(settings, encoding="utf-8")
    assert build(folder, folder) == 0
    return folder / "_build/html"


@pytest.fixture(scope="module")
def unpublished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of which nobody has said where it lies."""
    return small_book(tmp_path_factory.mktemp("unpublished"))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose repository is known."""
    return small_book(tmp_path_factory.mktemp("published"), repository=REPOSITORY, jupyterhub=HUB)


def soup(site: Path, page: str) -> BeautifulSoup:
    """A parsed page of the site."""
    return BeautifulSoup((site / page).read_text("utf-8"), "html.parser")


def told(site: Path, page: str) -> dict[str, str]:
    """What a page tells a service that shows previews."""
    metas = soup(site, page).find_all("meta")
    return {meta.get("property") or meta["name"]: meta["content"] for meta in metas if meta.get("content")
            and re.match(r"og:|twitter:|description", meta.get("property") or meta.get("name") or "")}  # fmt: skip


def test_before_an_address_is_set_no_page_names_one(unpublished: Path) -> None:
    for page in unpublished.rglob("*.html"):
        if "lite" in page.relative_to(unpublished).parts:  # JupyterLite's own pages, which ask no other host
            continue
        text = page.read_text("utf-8")
        named = set(re.findall(r"https?://(?!www\.w3\.org)[\w.-]*(?:github|colab|hub|localhost)[^\"' <]*", text))
        assert not named, f"{page.name}: {named}"
        assert 'rel="canonical"' not in text
        assert "og:url" not in text and "og:image" not in text
    assert not (unpublished / "sitemap.xml").exists()
    assert not (unpublished.parent / "notebooks").exists()


def test_before_an_address_is_set_there_are_no_launch_buttons(unpublished: Path) -> None:
    assert "launch-buttons" not in (unpublished / "book/intro.html").read_text("utf-8")


def test_with_the_repository_a_page_with_cells_can_be_launched(published: Path) -> None:
    links = [tag["href"] for tag in soup(published, "book/intro.html").select(".dropdown-launch-buttons a")]
    assert links == [
        "https://colab.research.google.com/github/some-body/a-course/blob/notebooks/book/intro.ipynb",
        f"{HUB}/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub.com%2Fsome-body%2Fa-course"
        "&branch=notebooks&urlpath=lab/tree/a-course/book/intro.ipynb",
    ]
    for icon in soup(published, "book/intro.html").select(".dropdown-launch-buttons img"):
        assert (published / "book" / icon["src"]).exists()
    assert not soup(published, "book/deep/plain.html").select(".dropdown-launch-buttons")


def test_what_is_launched_is_there_without_outputs_and_installs_the_package(published: Path) -> None:
    notebook = json.loads((published.parent / "notebooks/book/intro.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert ["".join(cell["source"]) for cell in code] == [
        f'%pip install --quiet "bncourse[book] @ git+{REPOSITORY}"', "print(6 * 7)"
    ]  # fmt: skip
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_text_reads_well_where_nobody_knows_the_books_markup() -> None:
    from publishing import plain

    text = ":::{admonition} Predict\n:class: prediction\nHow many?\n:::\n"
    text += "[The graph](../gradients/graph.md#x) {cite:p}`a2015`, {ref}`M03 <faq-m03>`.\n"
    shown = f"**Predict**\n\nHow many?\n\n[The graph]({SITE}/book/why/../gradients/graph.html#x) a2015, M03.\n"
    assert plain(text, f"{SITE}/book/why") == shown
    assert "graph.md" in plain(text, "")


def test_every_page_has_its_card(published: Path, unpublished: Path) -> None:
    for page, title in {"book/intro.html": "A page", "book/deep/plain.html": "Plain", "index.html": "A page"}.items():
        here = told(published, page)
        assert here["description"] == here["og:description"] == 'A page "of two words" & a number.'
        assert here["og:title"] == title
        assert here["og:image"] == f"{SITE}/_static/card.png"
        assert here["twitter:card"] == "summary_large_image"
        assert here["og:url"] == f"{SITE}/{'book/intro.html' if page == 'index.html' else page}"
        assert told(unpublished, page)["og:title"] == title


def test_the_card_has_the_size_that_its_tags_say(published: Path) -> None:
    data = (published / "_static/card.png").read_bytes()
    here = told(published, "book/intro.html")
    assert struct.unpack(">II", data[16:24]) == (int(here["og:image:width"]), int(here["og:image:height"]))
    assert len(data) < 300_000


def test_the_map_lists_every_page_at_its_address(published: Path) -> None:
    tree = ElementTree.parse(published / "sitemap.xml")
    places = [found.text for found in tree.getroot().iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert places == [f"{SITE}/book/deep/plain.html", f"{SITE}/book/intro.html"]
    canonical = soup(published, "book/deep/plain.html").find("link", rel="canonical")
    assert canonical["href"] == places[0]


@pytest.mark.long
def test_a_site_that_lies_elsewhere_says_so(tmp_path: Path) -> None:
    site = small_book(tmp_path, repository=REPOSITORY, site="https://course.test/bn/")
    assert told(site, "book/intro.html")["og:url"] == "https://course.test/bn/book/intro.html"
    assert "https://course.test/bn/book/intro.html" in (site / "sitemap.xml").read_text("utf-8")


def test_every_page_has_its_icon(published: Path) -> None:
    for page in ("index.html", "book/intro.html", "book/deep/plain.html", "search.html"):
        icon = soup(published, page).find("link", rel="icon") or soup(published, page).find("link", rel="shortcut icon")
        assert ((published / page).parent / icon["href"].partition("?")[0]).resolve().exists(), page


class Missing(http.server.SimpleHTTPRequestHandler):
    """A server below /some/where/, which shows 404.html for what is not there, as Pages does."""

    def translate_path(self, path: str) -> str:
        """Take the site's own folder off the path."""
        return super().translate_path(path.removeprefix("/some/where"))

    def send_error(self, code: int, *_: Any) -> None:  # type: ignore[override]
        """Send the page for what is not there."""
        body = Path(self.directory, "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def somewhere(unpublished: Path) -> Iterator[str]:
    """The address of the site that knows none."""
    handler = functools.partial(Missing, directory=str(unpublished))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/some/where"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize("asked", ["nothing.html", "book/no/such/page/at/all.html"])
def test_what_is_not_there_leads_back_from_any_depth(browser: Any, somewhere: str, asked: str) -> None:
    page = browser.new_page()
    answer = page.goto(f"{somewhere}/{asked}")
    assert answer.status == 404
    page.wait_for_selector('a[href="/some/where/book/intro.html"]')
    page.click('a[data-page="book/intro.html"]')
    page.wait_for_url(f"{somewhere}/book/intro.html")
    assert page.locator("h1").first.inner_text().startswith("A page")
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_page_for_what_is_not_there_is_accessible_and_narrow(browser: Any, somewhere: str, mode: str) -> None:
    from tests.book.test_browser import grave

    context = browser.new_context(color_scheme=mode, viewport={"width": 375, "height": 800})
    page = context.new_page()
    page.goto(f"{somewhere}/404.html")
    assert grave(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    context.close()


def test_with_an_address_what_is_not_there_needs_no_search_for_it(published: Path) -> None:
    links = [tag["href"] for tag in soup(published, "404.html").find_all("a")]
    assert links == [f"{SITE}/book/intro.html", f"{SITE}/book/faq.html", f"{SITE}/search.html"]


def test_a_page_that_has_moved_leads_to_its_new_place(tmp_path: Path) -> None:
    from publishing import MOVED, forward

    for new in MOVED.values():
        (tmp_path / new).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{new}.html").write_text("here", "utf-8")
    forward(tmp_path)
    for old, new in MOVED.items():
        assert not (ROOT / f"{old}.md").exists()
        assert (ROOT / f"{new}.md").exists()
        link = soup(tmp_path, f"{old}.html").find("a", href=True)
        assert ((tmp_path / old).parent / link["href"]).resolve() == (tmp_path / f"{new}.html").resolve()


def test_a_page_that_has_moved_is_left_out_where_its_new_place_is_missing(tmp_path: Path) -> None:
    from publishing import forward

    forward(tmp_path)
    assert list(tmp_path.rglob("*.html")) == []
