"""The next page of a visit starts from what the browser has kept, which runs like what is loaded from the beginning."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.outputs import difference
from tests.browser.test_live import BUILT, FREE, READY, shown
from tests.browser.test_trouble import OPEN
from tools.browser import runtime

pytestmark = pytest.mark.browser

NAME = "book/gradients/closed_form"

ASK = """async code => { let said = '';
    await bnPage.session.ask({ code }, ({ text }) => (said += text)); return said }"""

SPOIL = """async () => { const store = await caches.open("bncourse python");
    const [memory] = (await store.keys()).map(one => one.url).filter(url => url.endsWith("/memory"));
    await store.put(memory, new Response(new Uint8Array(1000))); }"""
"""Puts something else in the place of the memory that was kept."""


@pytest.fixture(scope="module")
def context(browser: Any, address: str) -> Iterator[Any]:
    """A browser that has kept what a page starts from."""
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no cell was run: make runtime")
    opened = browser.new_context()
    opened.set_default_timeout(240_000)
    page = visit(opened, address)
    page.evaluate(ASK, "1")
    assert page.evaluate("bnPage.session.isKept") is False, "nothing can have been kept yet"
    page.wait_for_function("bnPage.session.isKept")
    page.close()
    yield opened
    opened.close()


def visit(context: Any, address: str) -> Any:
    """Open the page."""
    page = context.new_page()
    page.goto(f"{address}/{NAME}.html")
    page.wait_for_function(READY)
    page.evaluate(OPEN)
    return page


def run(page: Any, number: int) -> str:
    """Run a cell and return what is said of it."""
    bar = page.locator(f".bn-run[aria-label='Cell {number}']")
    bar.get_by_text("Run", exact=True).click()
    page.wait_for_function(FREE)
    return str(bar.locator(".bn-status").text_content())


def test_a_kept_page_says_what_the_book_says_and_draws(context: Any, address: str, site: Path) -> None:
    page = visit(context, address)
    assert run(page, 1).startswith("Done in")
    assert page.evaluate("bnPage.session.isKept") is True
    first = min(shown(site, NAME))
    built, _ = page.evaluate(BUILT, first)
    output = page.evaluate("index => bnPage.cells.get(index).output.place.innerText", first)
    assert difference(built, output.strip()) == ""
    drawing = "[...bnPage.cells.values()].find(cell => cell.number && cell.libraries?.includes('matplotlib')).number"
    number = page.evaluate(drawing)
    assert run(page, number).startswith("Done in")
    assert page.locator(f".bn-cell:has(.bn-run[aria-label='Cell {number}']) svg[aria-label]").count() == 1
    page.close()


def test_each_page_has_names_and_random_numbers_of_its_own(context: Any, address: str) -> None:
    drawn = set()
    for _ in range(2):
        page = visit(context, address)
        assert "NameError" in page.evaluate(ASK, "mine")
        code = "import random\nimport numpy as np\nmine = 3\nprint(random.random(), np.random.random())"
        drawn |= set(page.evaluate(ASK, code).split())
        assert page.evaluate("bnPage.session.isKept") is True
        page.close()
    assert len(drawn) == 4


def test_no_code_of_a_page_reaches_what_is_kept(context: Any, address: str) -> None:
    page = visit(context, address)
    assert page.evaluate(ASK, "import js\nprint(hasattr(js, 'caches'))") == "False\n"
    page.close()


def test_what_cannot_be_used_is_loaded_and_made_again(context: Any, address: str) -> None:
    page = visit(context, address)
    page.evaluate(SPOIL)
    assert page.evaluate(ASK, "print(6 * 7)") == "42\n"
    assert page.evaluate("bnPage.session.isKept") is False
    page.wait_for_function("bnPage.session.isKept")
    page.evaluate("bnPage.session.stop()")
    assert page.evaluate(ASK, "print(6 * 7)") == "42\n"
    assert page.evaluate("bnPage.session.isKept") is True
    page.close()
