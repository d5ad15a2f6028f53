"""The book as one PDF: `python -m tools.offline` puts every page of the built site behind one another and prints them.

The PDF lies in the site, its links lead from place to place within it, and its outline lists the pages. It needs
Chromium; where that is missing, the site stays as it is, without the PDF.
"""

import re
import shutil
import sys
import time
from html import escape
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any
from urllib.parse import unquote, urldefrag

from bs4 import BeautifulSoup, Tag

from tools.book import ROOT
from tools.book_pages import toc_pages

NAME = "batch-normalization-by-hand.pdf"
PLACE = '<span id="offline-edition"></span>'
"""Where the first page gets its link to the PDF."""

FOOTER = '<p style="color:#5b6470;font-size:8px;text-align:center;width:100%"><span class="pageNumber"></span></p>'
LOOKS = """
@page { size: A4; margin: 18mm 16mm 20mm; }
html { font-size: 10.5pt; }
body { background: white; display: block; }
.bd-content > article { break-before: page; max-width: none; padding: 0; }
.bd-content > article:first-of-type { break-before: auto; }
.headerlink, .copybtn, .toggle-button, .bn-live, .sd-card::after { display: none !important; }
details > summary { list-style: none; }
.admonition.dropdown > *:not(.admonition-title) { opacity: 1 !important; visibility: visible !important; }
h1 { font-size: 2rem; margin-top: 0; }
h1, h2, h3, .admonition-title { break-after: avoid; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
pre, tr, figure, .bn-figure, div.math, .sd-card { break-inside: avoid; }
.bd-content table, table { display: table; font-size: 0.9rem; }
"""


def anchor(page: str, name: str = "") -> str:
    """The name of a place of a page within the whole."""
    return f"{page.replace('/', '-')}--{name}" if name else page.replace("/", "-")


def taken(site: Path, page: str, pages: list[str]) -> Tag:
    """Return a page's article, with the names of its places and its links changed for the whole."""
    soup = BeautifulSoup((site / f"{page}.html").read_text("utf-8"), "html.parser")
    article = soup.find("article")
    if not isinstance(article, Tag):
        raise ValueError(f"{page}.html has no article. Expected a page of this book's theme.")
    for waste in article.select("script, .headerlink, .prev-next-area, details.above-input"):
        waste.decompose()
    for tag in article.find_all(True):
        for name, value in list(tag.attrs.items()):
            if not isinstance(value, str):
                continue
            if name in ("id", "for", "aria-labelledby", "aria-describedby"):
                tag[name] = " ".join(anchor(page, one) for one in value.split())
            elif name == "xlink:href" and value.startswith("#"):
                tag[name] = "#" + anchor(page, value[1:])
            elif name == "href":
                tag[name] = link(value, page, pages)
            elif name == "src" and not value.startswith("data:"):
                tag[name] = normpath(f"{PurePosixPath(page).parent}/{value}")
            elif "url(#" in value:
                tag[name] = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{anchor(page, found[1])})", value)
    for closed in article.find_all("details"):
        closed["open"] = ""
    for box in article.select(".admonition.dropdown, .toggle"):
        box["class"] = [name for name in box["class"] if name not in ("dropdown", "toggle", "toggle-hidden")]
    article["id"] = anchor(page)
    return article


def link(target: str, page: str, pages: list[str]) -> str:
    """Where a link of the page leads within the whole; what is not in it keeps only its words."""
    if re.match(r"[a-z]+:", target):
        return target
    path, place = urldefrag(unquote(target))
    to = normpath(f"{PurePosixPath(page).parent}/{path}").removesuffix(".html") if path else page
    return "#" + anchor(to, place) if to in pages else "#" + anchor(page)


def whole(site: Path, pages: list[str]) -> str:
    """Put the pages behind one another, under the looks and the maths of the first."""
    head = BeautifulSoup((site / f"{pages[0]}.html").read_text("utf-8"), "html.parser").head
    if head is None:
        raise ValueError(f"{pages[0]}.html has no head. Expected a page of this book's theme.")
    wanted = [
        str(tag)
        for tag in head.find_all(["link", "script", "title"])
        if tag.name == "title" or "stylesheet" in tag.get("rel", []) or "MathJax" in str(tag) or "mathjax" in str(tag)
    ]
    up = "../" * pages[0].count("/")
    looks = "".join(wanted).replace(f'="{up}_static', '="_static')
    first, *others = (str(taken(site, page, pages)) for page in pages)
    articles = "\n".join([first, contents(site, pages), *others])
    return (
        f'<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f"{looks}<style>{LOOKS}</style></head>"
        f'<body><div class="bd-content" style="display:block">{articles}</div></body></html>'
    )


def contents(site: Path, pages: list[str]) -> str:
    """The list of the pages, after the first."""
    lines = []
    for page in pages[1:]:
        heading = BeautifulSoup((site / f"{page}.html").read_text("utf-8"), "html.parser").select_one("article h1")
        words = heading.get_text().removesuffix("#") if heading else page
        lines.append(f'<li><a href="#{anchor(page)}">{escape(words)}</a></li>')
    return f'<article><h1>Contents</h1><ul style="list-style:none;padding:0">{"".join(lines)}</ul></article>'


def print_whole(site: Path, browser: Any) -> Path:
    """Print the pages into one PDF in the site, and link to it from the first page."""
    pages = toc_pages()
    target, source = site / NAME, site / "whole.html"
    source.write_text(whole(site, pages), encoding="utf-8")
    try:
        page = browser.new_page()
        page.set_default_timeout(240_000)
        page.goto(source.as_uri())
        page.evaluate("MathJax.startup.promise")
        page.pdf(
            path=target,
            prefer_css_page_size=True,
            print_background=True,
            outline=True,
            tagged=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
        )
        page.close()
    finally:
        source.unlink()
    door = site / f"{pages[0]}.html"
    up = "../" * pages[0].count("/")
    words = f'For a journey without a network: <a href="{up}{NAME}">the whole book as one PDF</a>.'
    door.write_text(door.read_text("utf-8").replace(PLACE, f"<span>{words}</span>"), encoding="utf-8")
    return target


def main() -> int:
    """Print the book of this repository, as it was built."""
    begin = time.perf_counter()
    site = ROOT / "_build" / "html"
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("No PDF was made: Chromium is missing (apt-get install chromium). The site is complete without it.")
        return 0
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        target = print_whole(site, browser)
        browser.close()
    megabytes = target.stat().st_size / 1e6
    print(f"The book as one PDF: {target.relative_to(ROOT)} ({megabytes:.1f} MB, {time.perf_counter() - begin:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
