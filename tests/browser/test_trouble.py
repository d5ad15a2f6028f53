"""What may go wrong on a live page: a file is missing, Python ends, nothing can be stored; the page says one line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.book.test_browser import Visit
from tests.browser.test_live import FREE, READY, Live
from tests.browser.test_states import wait_for
from tools.browser import runtime

pytestmark = pytest.mark.browser

PAGE = "book/gradients/closed_form.html"


@pytest.fixture(scope="module")
def live(browser: Any, address: str) -> Iterator[Live]:
    """A page for the tests below."""
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no cell was run: make runtime")
    with Live(browser, f"{address}/{PAGE}") as visit:
        visit.page.evaluate(OPEN)
        yield visit


OPEN = """document.querySelectorAll(".bn-veil button").forEach(button => button.click());
document.querySelectorAll("div.cell details").forEach(box => (box.open = true))"""
"""Shows every output and every cell."""


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("**/wheels/*", "is missing on this site (404)"),
        ("**/live/runner.py", "runner.py is missing on this site (404)"),
        ("**/live/worker.js", "its files cannot be loaded"),
        ("**/pyodide/pyodide.mjs", "its files cannot be loaded"),
    ],
)
def test_a_missing_file_is_said_in_one_line_and_run_tries_again(live: Live, missing: str, said: str) -> None:
    before = live.output(1)
    live.page.evaluate("bnPage.session.stop()")
    live.page.route(missing, lambda route: route.fulfill(status=404, body=""))
    live.click(1, "Run")
    live.page.unroute(missing)
    assert live.status(1).startswith("Python could not be started: ")
    assert said in live.status(1)
    assert live.status(1).endswith(". Run starts again.")
    assert live.output(1) == before


def test_python_that_ends_itself_is_told_apart_and_run_starts_another(live: Live) -> None:
    live.write(1, "import os\nos._exit(3)")
    live.click(1, "Run")
    assert live.status(1).startswith("Python broke off: ")
    live.click(1, "Reset")
    live.click(1, "Run")
    assert live.status(1).startswith("Done in")


def test_stop_ends_the_wait_for_matplotlib(live: Live) -> None:
    number = live.page.evaluate(
        "[...bnPage.cells.values()].find(cell => cell.number && cell.libraries?.includes('matplotlib')).number"
    )
    held = list[Any]()
    live.page.route("**/pyodide/matplotlib-*", lambda route: held.append(route))
    run = live.page.locator(f".bn-run[aria-label='Cell {number}']")
    run.get_by_text("Run", exact=True).click()
    wait_for(live.page, held)
    assert live.status(number).startswith("Loading Matplotlib")
    run.get_by_text("Stop", exact=True).click()
    live.page.wait_for_function(FREE)
    assert live.status(number).startswith("Stopped.")
    live.page.unroute("**/pyodide/matplotlib-*")
    live.click(number, "Run")
    assert live.status(number).startswith("Done in")


def test_a_matplotlib_that_is_missing_is_said(live: Live) -> None:
    number = live.page.evaluate(
        "[...bnPage.cells.values()].find(cell => cell.number && cell.libraries?.includes('matplotlib')).number"
    )
    live.page.evaluate("bnPage.session.stop(); bnPage.forget()")
    live.page.route("**/pyodide/matplotlib-*", lambda route: route.fulfill(status=404, body=""))
    live.click(number, "Run")
    live.page.unroute("**/pyodide/matplotlib-*")
    assert "matplotlib" in live.status(number).lower()
    assert not live.status(number).startswith("Done")


def test_two_pages_have_a_python_each(live: Live, address: str) -> None:
    other = live.context.new_page()
    other.goto(f"{address}/{PAGE}")
    other.wait_for_function(READY)
    asked = """async code => { let said = '';
        await bnPage.session.ask({ code }, ({ text }) => (said += text)); return said }"""
    assert live.page.evaluate(asked, "mine = 5\nprint(mine)") == "5\n"
    other.set_default_timeout(120_000)
    assert "NameError: name 'mine' is not defined" in other.evaluate(asked, "mine")
    other.close()


NOWHERE = """for (const name of ["localStorage", "sessionStorage", "indexedDB"]) Object.defineProperty(window, name,
    { get() { throw new DOMException("denied", "SecurityError") } })"""


def test_a_browser_that_stores_nothing_runs_cells_and_takes_predictions(browser: Any, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(NOWHERE)
    page.goto(f"{address}/book/gradients/vanishing_term.html")
    page.wait_for_function(READY)
    box = page.locator(".admonition.prediction").first
    box.locator("textarea").fill("<b>half</b>")
    box.get_by_text("Commit").click()
    assert "You predicted: <b>half</b>" in box.inner_text()
    page.locator(".bn-run[aria-label='Cell 1']").get_by_text("Run", exact=True).click()
    page.wait_for_function(FREE)
    assert page.locator(".bn-run[aria-label='Cell 1'] .bn-status").inner_text().startswith("Done in")
    context.close()


def test_without_javascript_the_page_is_the_static_one(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/book/gradients/vanishing_term.html")
    assert page.locator(".bn-run, .bn-predict, .bn-veil").count() == 0
    assert page.locator(".cell_output pre").first.is_visible()
    page.goto(f"{address}/book/teach/clinic.html")
    assert page.locator("#bn-clinic").is_hidden()
    assert "bncourse diagnose" in page.locator("article noscript").inner_text()
    context.close()


@pytest.mark.parametrize("name", ["book/gradients/closed_form", "book/teach/clinic"])
def test_from_a_file_one_quiet_line_says_how_cells_run(browser: Any, site: Path, name: str) -> None:
    with Visit(browser, f"file://{site}/{name}.html") as visit:
        assert visit.page.locator(".bn-live-note").all_inner_texts() == [
            "Read from a web server, this page can also run its code: type make serve, or open the course's site."
        ]
        assert visit.page.locator(".bn-run:visible").count() == 0
        assert visit.complaints == []


def test_a_script_that_is_missing_leaves_the_static_page_and_one_line(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.route("**/live/page.js", lambda route: route.fulfill(status=404, body=""))
    page.goto(f"{address}/{PAGE}")
    page.wait_for_selector(".bn-live-note")
    assert page.locator(".bn-run").count() == 0
    page.close()
