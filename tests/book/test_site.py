"""The built site, read as files: links lead somewhere, and nothing is in it that should not be."""

import json
import re
import zipfile
from collections.abc import Callable
from functools import cache
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.book import ROOT

MARKS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME", str(ROOT), str(Path.home()) + "/", "/tmp/")


HIDDEN = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS|MARK SCHEME)(.*?)### END", re.DOTALL)
TEXTS = (".html", ".js", ".css", ".svg", ".txt", ".json", ".ipynb", ".xml")


def built_pages(site: Path) -> list[Path]:
    """Every HTML page of the book; JupyterLite's own are not ours."""
    return sorted(page for page in site.rglob("*.html") if not {"_static", "lite"} & set(page.relative_to(site).parts))


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
            path, _, query = path.partition("?")
            target = (page.parent / unquote(path)).resolve() if path else page
            if query.startswith("path=") and not (site / "lite/files" / unquote(query[5:])).exists():
                broken.append(f"{page.name}: {tag['href']}: no such notebook")
            elif not target.exists():
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


def secrets() -> dict[str, str]:
    """What must not be in the site, with its name: markers, local paths, and every long line of what is hidden.

    Lines that the package, the book or the given part of an assignment has too are no secret.
    """
    found = {mark: mark for mark in MARKS}
    masters = {path.stem: path.read_text("utf-8") for path in (ROOT / "assignments/masters").glob("*.md")}
    public = [*(ROOT / "bncourse").rglob("*.py"), *(ROOT / "book").rglob("*.md")]
    known = "\n".join(
        [HIDDEN.sub("", text) for text in masters.values()] + [path.read_text("utf-8") for path in public]
    )
    for name, text in masters.items():
        lines = {line.strip() for hidden in HIDDEN.findall(text) for line in hidden.splitlines()}
        found |= {line: f"{name}: {line}" for line in sorted(lines) if len(line) >= 40 and line not in known}
    return found


def leaks(site: Path) -> list[str]:
    """Each file of the site with each secret in it."""
    hidden = secrets()
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix in TEXTS and "mathjax" not in path.parts:
            text = path.read_text("utf-8")
            page = ROOT / path.relative_to(site).with_suffix(".md")
            explained = page.read_text("utf-8") if page.is_file() else ""  # how a master is written, markers and all
            forms = {text, unescape(re.sub(r"<[^>]*>", "", text)), text.replace('\\"', '"').replace("\\\\", "\\")}
            found += [
                f"{path.relative_to(site)}: {name}"
                for line, name in hidden.items()
                if any(line in form for form in forms) and not (line in MARKS and line in explained)
            ]
        elif path.suffix == ".whl":
            with zipfile.ZipFile(path) as archive:
                texts = "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
            lines = hidden.keys() - set(MARKS[:3])  # the package itself names the markers
            if not path.name.startswith("bncourse-"):  # made elsewhere, of paths there
                lines -= {"/tmp/"}
            found += [f"{path.relative_to(site)}: {hidden[line]}" for line in sorted(lines) if line in texts]
    return found


def test_no_solution_hidden_test_or_local_path_is_in_the_site(site: Path) -> None:
    assert leaks(site) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", "<pre># BEGIN HIDDEN TESTS</pre>"),
        ("book/page.html", f"<p>see {ROOT}/assignments</p>"),
        ("searchindex.js", 'Search.setIndex({"### BEGIN SOLUTION": 1})'),
        ("assignments/backward.ipynb", '{"source": "the file /tmp/x"}'),
        ("notes.xml", "BEGIN MARK SCHEME"),
    ],
)
def test_a_planted_secret_is_found(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert len(leaks(tmp_path)) >= 1


def written(line: str) -> str:
    """The line as a notebook's file has it."""
    return json.dumps(line, ensure_ascii=False)


def highlighted(line: str) -> str:
    """The line as a page has it."""
    return highlight(line, PythonLexer(), HtmlFormatter())


@pytest.mark.parametrize("form", [str, escape, written, highlighted])
def test_every_hidden_line_would_be_found_without_its_marker(tmp_path: Path, form: Callable[[str], str]) -> None:
    hidden = [line for line in secrets() if line not in MARKS]
    assert len(hidden) > 100
    for number, line in enumerate(hidden[::25]):
        page = tmp_path / f"page{number}.html"
        page.write_text(f"<pre>{form(line)}</pre>", encoding="utf-8")
    assert {found.partition(":")[0] for found in leaks(tmp_path)} == {page.name for page in tmp_path.iterdir()}


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


def test_no_code_that_is_shown_begins_or_ends_within_a_docstring(site: Path) -> None:
    torn = []
    for page in built_pages(site):
        for block in soup(page).select("article pre"):
            if block.get_text().count('"""') % 2:
                torn.append(f"{page.name}: {block.get_text()[:80]!r}")
    assert not torn, "\n".join(torn)
