"""Every page in a browser: no error, no foreign request, accessible, light and dark, whole on a phone and in print."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.book_pages import toc_pages

pytestmark = pytest.mark.browser

HEAVIEST = 2_500_000
"""Bytes of a page with everything on it, uncompressed."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Visit:
    """A page opened, with all that the browser said about it."""

    def __init__(self, browser: Any, url: str, theme: str = "light", width: int = 1280) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900})
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)  # a busy machine is no fault of the page
        self.page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.bytes = 0
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        self.page.on("response", self._weigh)
        self.page.goto(url)
        self.page.wait_for_load_state("load")
        self.page.evaluate("window.MathJax && MathJax.startup && MathJax.startup.promise")
        self.page.wait_for_load_state("networkidle")

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _weigh(self, response: Any) -> None:
        self.requested.append(response.url)
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")
        self.bytes += int(response.headers.get("content-length", 0))

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


SMALL_LETTERS = """() => [...document.querySelectorAll(".bn-figure svg text, .bn-canvas text")].flatMap((text) => {
    const svg = text.ownerSVGElement;
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    return [text, ...text.querySelectorAll("tspan")]
        .filter((one) => one.textContent.trim() && one.getBoundingClientRect().width > 0)
        .map((one) => [one.textContent, parseFloat(getComputedStyle(one).fontSize) * scale])
        .filter(([, size]) => size < 10.9);
})"""
"""Words in figures and explorables that are shown with less than 11 pixels."""

CUT_FORMULAS = """() => [...document.querySelectorAll("mjx-container:not([display=true])")]
    .filter((formula) => !formula.closest("table, .bn-wide, .section-nav"))
    .filter((formula) => formula.getBoundingClientRect().right > innerWidth + 1)
    .map((formula) => formula.textContent)"""
"""Formulas within a line that reach beyond the page and do not scroll by themselves.

A table scrolls as a whole, and the list of contents is folded away."""

CUT_IN_PRINT = """() => [...document.querySelectorAll(".bd-article :is(table, code, pre, img, svg, mjx-container)")]
    .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 2)
    .map((one) => `${one.tagName}: ${one.textContent.trim().slice(0, 60)}`)"""
"""What reaches beyond a printed page, where nothing scrolls."""


def grave(page: Any) -> list[str]:
    """What axe finds serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False})
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:160]}"
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"][:3]
    ]


@pytest.mark.parametrize("name", toc_pages())
def test_page(browser: Any, address: str, name: str) -> None:
    with Visit(browser, f"{address}/{name}.html") as visit:
        page = visit.page
        assert visit.complaints == []
        assert [url for url in visit.requested if not url.startswith((address, "data:"))] == []
        assert visit.bytes <= HEAVIEST
        assert page.locator(".math:not(:has(mjx-container))").count() == 0, "maths that is not rendered"
        assert page.locator("mjx-merror").count() == 0, "maths that MathJax does not understand"
        assert grave(page) == [], "in light mode"
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        page.wait_for_timeout(400)  # colors fade over
        assert grave(page) == [], "in dark mode"
        page.set_viewport_size({"width": 360, "height": 800})
        page.wait_for_timeout(100)
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert too_wide <= 0, f"{too_wide} px wider than a phone"
        assert page.evaluate(SMALL_LETTERS) == []
        assert page.evaluate(CUT_FORMULAS) == []
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 718, "height": 1000})  # A4 between the browser's margins
        assert page.evaluate(CUT_IN_PRINT) == []
        assert visit.complaints == []


def test_search_finds_a_word(browser: Any, address: str) -> None:
    with Visit(browser, f"{address}/search.html?q=projection") as visit:
        visit.page.wait_for_selector("#search-results li a")
        hits = visit.page.locator("#search-results li a").all_text_contents()
        assert any("projection" in hit.lower() for hit in hits)
        assert visit.complaints == []


def test_a_double_click_shows_a_page(browser: Any, site: Path) -> None:
    with Visit(browser, f"file://{site}/book/gradients/graph.html") as visit:
        assert visit.complaints == []
        assert visit.page.locator("mjx-container").count() > 20
        assert visit.page.locator(".bn-figure svg").count() == 3
        assert visit.page.locator(".bn-live .bn-canvas").count() == 1


def test_the_theme_can_be_switched_by_keyboard(browser: Any, address: str) -> None:
    with Visit(browser, f"{address}/book/intro.html") as visit:
        before = visit.page.evaluate("document.documentElement.dataset.theme")
        button = visit.page.locator("button.theme-switch-button").first
        for _ in range(3):
            button.focus()
            visit.page.keyboard.press("Enter")
            if visit.page.evaluate("document.documentElement.dataset.theme") != before:
                return
        pytest.fail("the switch does not switch")


def test_the_index_leads_to_the_first_page(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/index.html")
    page.wait_for_url("**/book/intro.html")
    page.close()
