"""The script that JupyterLite's page runs first, with an application that only notes what it is asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from tools.browser.lite import START

pytestmark = pytest.mark.browser

APPLICATION = """() => {
    globalThis.done = [];
    const context = { session: null, ready: new Promise((resolve) => (globalThis.kernelStarts = () => {
        const kernel = { status: "starting" };
        kernel.info = new Promise((told) => (globalThis.kernelAnswers = () => { kernel.status = "idle"; told(); }));
        context.session = { kernel };
        resolve();
    })) };
    const commands = { execute: async (id, args) => { done.push(id); return id === "apputils:notify" ? 7 : args; } };
    globalThis.jupyterapp = { commands, shell: { currentWidget: { sessionContext: context } } };
}"""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page with the script, and an application without a kernel."""
    opened = browser.new_page()
    opened.evaluate("() => { globalThis.fetched = []; globalThis.fetch = (...asked) => { fetched.push(asked) } }")
    opened.add_script_tag(content=START.read_text("utf-8"))
    opened.evaluate(APPLICATION)
    yield opened
    opened.close()


def execute(page: Any, *commands: str) -> None:
    """Execute commands without waiting for their end."""
    page.evaluate("ids => { for (const id of ids) void jupyterapp.commands.execute(id) }", list(commands))


def done(page: Any) -> list[str]:
    """What the application has executed, and nothing twice by our asking."""
    page.evaluate("() => new Promise((later) => setTimeout(later, 20))")
    return list(page.evaluate("done"))


def test_what_is_run_before_there_is_a_kernel_waits_for_it_and_a_line_says_so(page: Any) -> None:
    execute(page, "docmanager:save", "notebook:run-cell", "notebook:run-cell")
    assert done(page) == ["docmanager:save", "apputils:notify"]
    page.evaluate("kernelStarts()")
    assert len(done(page)) == 2
    page.evaluate("kernelAnswers()")
    assert sorted(done(page)[2:]) == ["apputils:dismiss-notification", "notebook:run-cell", "notebook:run-cell"]
    execute(page, "notebook:run-cell")
    assert done(page)[5:] == ["notebook:run-cell"]


def test_run_all_pressed_again_meanwhile_runs_once(page: Any) -> None:
    execute(page, "runmenu:run-all", "notebook:run-all-cells", "runmenu:run-all")
    assert done(page) == ["apputils:notify"]
    page.evaluate("kernelStarts()")
    page.evaluate("kernelAnswers()")
    assert [one for one in done(page) if "run" in one] == ["runmenu:run-all"]


def test_a_kernel_that_cannot_be_started_leaves_the_run_to_jupyter(page: Any) -> None:
    rejected = "jupyterapp.shell.currentWidget.sessionContext.ready = Promise.reject(new Error('no'))"
    page.evaluate(f"() => {{ {rejected} }}")
    execute(page, "notebook:run-all-cells")
    assert "notebook:run-all-cells" in done(page)


def test_what_is_read_is_asked_for_anew_unless_its_reader_says_otherwise(page: Any) -> None:
    page.evaluate("() => { fetch('all.json'); fetch('other', { cache: 'force-cache' }) }")
    assert page.evaluate("fetched") == [["all.json", {"cache": "no-cache"}], ["other", {"cache": "force-cache"}]]
