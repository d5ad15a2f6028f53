"""A live page in each of its states, for every eye and hand: axe, the keyboard, what a screen reader is given."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.book.test_browser import grave
from tests.browser.test_live import FREE, Live
from tools.browser import runtime

pytestmark = pytest.mark.browser

PAGE = "book/gradients/closed_form.html"
"""It has a prediction, a figure, and several cells."""


@pytest.fixture(scope="module")
def page_of(browser: Any, address: str) -> Iterator[Live]:
    """A page with one Python for the tests below, which leave it as they found it."""
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no cell was run: make runtime")
    with Live(browser, f"{address}/{PAGE}") as visit:
        yield visit


def everywhere(page: Any) -> list[str]:
    """What axe finds in light, in dark and on a phone."""
    found = [f"light: {one}" for one in grave(page)]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(400)  # colors fade over
    found += [f"dark: {one}" for one in grave(page)]
    page.set_viewport_size({"width": 375, "height": 800})
    page.wait_for_timeout(100)
    found += [f"phone: {one}" for one in grave(page)]
    too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_timeout(400)
    return found + ([f"{too_wide} px wider than a phone"] if too_wide > 0 else [])


def wait_for(page: Any, held: list[Any]) -> None:
    """Wait until a request is held."""
    for _ in range(1200):
        if held:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the page has not asked for it")


def test_a_page_is_accessible_in_every_state(page_of: Live) -> None:
    page, held = page_of.page, list[Any]()
    run = page.locator(".bn-run[aria-label='Cell 1']")
    found = {"idle": everywhere(page)}
    page.route("**/wheels/*", lambda route: held.append(route))
    run.get_by_text("Run", exact=True).click()
    wait_for(page, held)
    assert page_of.status(1).startswith("Starting Python")
    found["loading"] = everywhere(page)
    held[0].continue_()
    page.unroute("**/wheels/*")
    page.wait_for_function(FREE)
    found["ran"] = everywhere(page)
    page_of.write(1, "raise ValueError('on purpose')")
    page_of.click(1, "Run")
    assert page_of.status(1) == "Ended with an error."
    found["failed, with an editor"] = everywhere(page)
    page_of.click(1, "Reset")
    assert found == {state: [] for state in found}


def test_a_keyboard_runs_and_stops_and_never_loses_its_place(page_of: Live) -> None:
    page = page_of.page

    def focused() -> str:
        return str(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.tagName"))

    page_of.write(1, "while True: pass")
    page.locator(".bn-run[aria-label='Cell 1'] button:has-text('Run')").first.focus()
    for _ in range(2):  # to stop twice is as good as once
        page.keyboard.press("Enter")
        assert focused() == "Stop cell 1"
        page.wait_for_timeout(300)
        page.keyboard.press("Enter")
        page.wait_for_function(FREE)
        assert page_of.status(1).startswith("Stopped.")
        assert focused() == "Run cell 1"
    page_of.click(1, "Reset")
    page.locator(".bn-run[aria-label='Cell 2']").get_by_text("Run all above").focus()
    page.keyboard.press("Enter")
    assert focused() == "Stop cell 2"
    page.wait_for_function(FREE)
    assert focused().startswith("Run all above")
    assert page_of.status(2).startswith("Done in")


def test_a_screen_reader_is_told_what_each_button_does(page_of: Live) -> None:
    nodes = page_of.page.context.new_cdp_session(page_of.page).send("Accessibility.getFullAXTree")["nodes"]
    told = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")}
    groups = {("group", f"Cell {n}") for n in (1, 2)}
    buttons = {("button", f"{what} cell {n}") for what in ("Run", "Edit") for n in (1, 2)}
    assert groups | buttons | {("button", "Run all above cell 2, and it")} <= told
    assert ("textbox", "Your prediction (kept on this machine only)") in told
    assert any(role == "status" for role, _ in told)


def test_a_button_is_called_by_what_stands_on_it(page_of: Live) -> None:
    other = page_of.page.evaluate(
        """[...document.querySelectorAll('.bn-run button')].filter(one => !one.getAttribute('aria-label')
            .toLowerCase().startsWith(one.textContent.toLowerCase())).map(one => one.getAttribute('aria-label'))"""
    )
    assert other == []
