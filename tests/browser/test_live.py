"""Live pages in a real browser: Run, Edit, Reset, Stop, predictions; and every live cell says what the build said."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.book.test_browser import Visit, grave
from tests.browser.outputs import difference
from tools.book_pages import toc_pages
from tools.browser import runtime

pytestmark = pytest.mark.browser

READY = "document.documentElement.dataset.live === 'ready'"
FREE = "!bnPage.running"


@pytest.fixture(autouse=True, scope="module")
def on_board() -> None:
    """The tests need the runtime; in CI it is never missing."""
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no cell was run: make runtime")


class Live(Visit):
    """A page whose cells can be run."""

    def __init__(self, browser: Any, url: str, **look: Any) -> None:
        super().__init__(browser, url, **look)
        self.page.wait_for_function(READY)

    def click(self, number: int, name: str) -> None:
        """Click a button of a cell, and wait until nothing runs."""
        self.page.locator(f".bn-run[aria-label='Cell {number}']").get_by_text(name, exact=True).click()
        if name.startswith("Run"):
            self.page.wait_for_function(FREE)

    def status(self, number: int) -> str:
        """What is said of a cell."""
        return str(self.page.locator(f".bn-run[aria-label='Cell {number}'] .bn-status").text_content())

    def output(self, number: int) -> str:
        """What stands under a cell."""
        code = "number => [...bnPage.cells.values()].find(cell => cell.number === number).output.place?.innerText ?? ''"
        return str(self.page.evaluate(code, number))

    def write(self, number: int, code: str) -> None:
        """Edit a cell."""
        self.click(number, "Edit")
        edit = "([number, code]) => [...bnPage.cells.values()].find(cell => cell.number === number).editor.set(code)"
        self.page.wait_for_function(
            f"[...bnPage.cells.values()].find(cell => cell.number === {number}).editor !== undefined"
        )
        self.page.evaluate(edit, [number, code])


@pytest.fixture(scope="module")
def intro(browser: Any, address: str) -> Iterator[Live]:
    """A page with one Python for the tests below, which leave it as they found it."""
    with Live(browser, f"{address}/book/gradients/closed_form.html") as visit:
        yield visit


def facts(site: Path, name: str) -> list[dict[str, Any]]:
    """What a page says of its cells."""
    text = (site / f"{name}.html").read_text("utf-8")
    found = re.search(r'<script type="application/json" id="bn-cells">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1]) if found else []


def notebook(site: Path, name: str) -> dict[str, Any]:
    """A page's notebook as the build ran it."""
    path = site.parent / "jupyter_execute" / f"{name}.ipynb"
    return json.loads(path.read_text("utf-8")) if path.exists() else {"cells": []}


def shown(site: Path, name: str) -> set[int]:
    """The places of the cells whose code stands on the page."""
    cells = enumerate(notebook(site, name)["cells"])
    hidden = {"remove-cell", "remove-input"}
    return {
        n for n, cell in cells if cell["cell_type"] == "code" and not hidden & set(cell["metadata"].get("tags", []))
    }


def with_cells(site: Path) -> list[str]:
    """The pages of the book that show code cells."""
    return [name for name in toc_pages() if shown(site, name)]


BUILT = """index => { const cell = bnPage.cells.get(index);
const all = what => (cell.output.original ?? []).flatMap(node => [...(node.querySelectorAll?.(what) ?? [])]);
return [all('pre, table').map(one => one.textContent.trimEnd()).join('\\n'),
    all('svg[aria-label]').map(svg => svg.getAttribute('aria-label'))] }"""
"""What the build has put under a cell: its text, and the words of its figures."""


def test_the_built_pages_have_their_live_cells(site: Path) -> None:
    assert len([name for name in with_cells(site) if facts(site, name)]) >= 25


def test_a_page_starts_no_python_before_the_first_run(browser: Any, address: str) -> None:
    with Live(browser, f"{address}/book/gradients/closed_form.html") as visit:
        assert not any("pyodide" in url or "wheels" in url or "codemirror" in url for url in visit.requested)
        assert visit.bytes <= 2_500_000
        assert grave(visit.page) == []


def test_run_says_what_the_book_says(intro: Live, site: Path) -> None:
    intro.click(1, "Run")
    first = min(shown(site, "book/gradients/closed_form"))
    built, _ = intro.page.evaluate(BUILT, first)
    assert built
    assert difference(built, intro.output(1).strip()) == ""
    assert intro.status(1).startswith("Done in")
    assert grave(intro.page) == [], "after a run"


def test_an_edited_cell_runs_as_edited_and_reset_brings_the_book_back(intro: Live) -> None:
    before = intro.output(2)
    intro.write(2, "print(6 * 7)\nraise ValueError('on purpose')")
    intro.click(2, "Run")
    assert "42" in intro.output(2)
    assert "ValueError: on purpose" in intro.output(2)
    assert "runner.py" not in intro.output(2)
    assert intro.status(2) == "Ended with an error."
    assert grave(intro.page) == [], "after an error, with an editor open"
    intro.click(2, "Reset")
    assert intro.output(2) == before


def test_stop_ends_an_endless_loop_and_run_starts_again(intro: Live) -> None:
    intro.write(1, "print('on')\nwhile True: pass")
    run = intro.page.locator(".bn-run[aria-label='Cell 1']")
    run.get_by_text("Run", exact=True).click()
    first = "[...bnPage.cells.values()].find(cell => cell.number === 1)"
    intro.page.wait_for_function(f"{first}.output.place?.innerText.includes('on')")
    run.get_by_text("Stop", exact=True).click()
    intro.page.wait_for_function(FREE)
    assert intro.status(1).startswith("Stopped.")
    intro.click(1, "Reset")
    intro.click(1, "Run")
    assert intro.status(1).startswith("Done in")


def test_a_keyboard_is_enough(intro: Live) -> None:
    page = intro.page
    page.locator(".bn-run[aria-label='Cell 1'] button:has-text('Edit')").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".bn-editor .cm-focused")
    page.keyboard.press("Control+A")
    page.keyboard.type("def f():\nreturn 5\nprint(f() + 1)")
    page.keyboard.press("Shift+Enter")
    for _ in range(600):  # a run may be over before one could see that it has begun
        if "6" in intro.output(1):
            break
        page.wait_for_timeout(100)
    page.wait_for_function(FREE)
    assert "6" in intro.output(1)
    page.locator(".bn-editor .cm-content").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('.bn-editor')"), "the editor keeps the focus"
    intro.click(1, "Reset")


def test_no_request_leaves_the_site(intro: Live, address: str) -> None:
    assert [url for url in intro.requested if not url.startswith((address, "data:", "blob:"))] == []
    assert intro.complaints == []


def test_a_prediction_is_kept_and_its_output_waits_for_it(browser: Any, address: str) -> None:
    with Visit(browser, f"{address}/book/gradients/vanishing_term.html") as visit:
        page = visit.page
        box = page.locator(".admonition.prediction").first
        answer = page.locator(".bn-veiled").first
        assert answer.locator("pre").first.is_hidden()
        assert grave(page) == []
        box.locator("textarea").fill("about a tenth")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "Forget it"
        assert page.locator("div.cell .cell_output pre").first.is_visible()
        page.reload()
        box = page.locator(".admonition.prediction").first
        assert "You predicted: about a tenth" in box.inner_text()
        assert page.locator("div.cell .cell_output pre").first.is_visible()
        box.get_by_text("Forget it").click()
        page.locator(".bn-veil button").first.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.classList.contains('cell_output')")


TAKE_PLACE = """async url => {
const other = new DOMParser().parseFromString(await (await fetch(url)).text(), 'text/html');
const facts = JSON.parse(other.getElementById('bn-cells').textContent);
document.querySelector('article').replaceWith(document.adoptNode(other.querySelector('article')));
const { start } = await import(new URL('/_static/live/page.js', location));
start(facts, bnPage.session);
await bnPage.session.ask({ code: 'import runner\\nrunner.prepare()', silent: true }); }"""
"""Puts a page's cells in the place of those that were there: a Python of its own for each page would start thirty."""

RUN = """async index => { const cell = bnPage.cells.get(index); await bnPage.run(cell);
const all = what => [...(cell.output.place?.querySelectorAll(what) ?? [])];
return [all('pre, table').map(one => one.textContent.trimEnd()).join('\\n'),
    all('svg[aria-label]').map(svg => svg.getAttribute('aria-label'))] }"""
"""Runs a cell, and returns what stands under it then: its text, and the words of its figures."""


def differences(page: Any, site: Path, name: str) -> list[str]:
    """Run the live cells of the page that stands there, in order; where they say something else than the build."""
    places = shown(site, name)
    found = []
    for index in [fact["index"] for fact in facts(site, name) if fact["index"] in places and "why" not in fact]:
        built, figures = page.evaluate(BUILT, index)
        text, drawn = page.evaluate(RUN, index)
        if differs := difference(built, text):
            found.append(f"{name}, cell {index}: {differs}")
        if len(drawn) != len(figures) or any(difference(*pair) for pair in zip(figures, drawn, strict=True)):
            found.append(f"{name}, cell {index}: figures {drawn} instead of {figures}")
    return found


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_every_live_cell_of_every_page_says_what_the_build_said(browser: Any, address: str, site: Path) -> None:
    libraries = {
        name: {each for fact in facts(site, name) for each in fact.get("libraries", ())} for name in with_cells(site)
    }
    pages = [name for name in with_cells(site) if facts(site, name)]
    pages.sort(key=lambda name: sorted(libraries[name]))  # a page that forgets to ask for Matplotlib does not find it
    wrong = []
    with Live(browser, f"{address}/book/intro.html") as visit:
        visit.page.set_default_timeout(600_000)
        for name in pages:
            visit.page.evaluate(TAKE_PLACE, f"{address}/{name}.html")
            begin = time.perf_counter()
            wrong += differences(visit.page, site, name)
            print(f"{name}: {time.perf_counter() - begin:.1f} s")
        assert wrong == [], "\n\n".join(wrong)
        assert [url for url in visit.requested if not url.startswith((address, "data:", "blob:"))] == []
        assert visit.complaints == []
