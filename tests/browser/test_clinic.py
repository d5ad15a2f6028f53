"""The clinic says what a pasted batch norm believes, and its examples believe what they promise."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bncourse.diagnosis.conventions import diagnose_source
from tests.book.test_browser import Visit, grave
from tools.book import ROOT
from tools.browser import runtime

EXAMPLES = json.loads((ROOT / "book/_static/live/examples.json").read_text("utf-8"))
READY = "document.documentElement.dataset.clinic === 'ready'"
FREE = "!bnClinic.busy"


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["belief"] for example in EXAMPLES])
def test_an_example_is_the_mistake_that_it_promises(example: dict[str, str]) -> None:
    told = diagnose_source(example["code"])
    assert told["functions"][0]["name"].startswith("batchnorm_forward")
    beliefs = [found["belief"] for one in told["functions"] for found in one["findings"]]
    assert beliefs[0] == example["belief"]


def test_there_are_ten_examples_each_its_own() -> None:
    assert len({example["belief"] for example in EXAMPLES}) == len(EXAMPLES) == 10


class Elsewhere(http.server.ThreadingHTTPServer):
    """Another host, which notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Noting)
        self.address = f"http://127.0.0.1:{self.server_port}/"


class Noting(http.server.BaseHTTPRequestHandler):
    """Notes the request, whatever it is."""

    server: Elsewhere

    def handle_one_request(self) -> None:
        """Take a line, and answer nothing."""
        self.server.asked.append(self.rfile.readline().decode("latin-1"))
        self.close_connection = True


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    """A server on another port, which is another host to a browser."""
    with Elsewhere() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Clinic(Visit):
    """The page with the clinic."""

    def __init__(self, browser: Any, url: str, **look: Any) -> None:
        super().__init__(browser, url, **look)
        self.page.wait_for_function(READY)

    def check(self, code: str) -> str:
        """Check a text and return what is said of it."""
        self.page.locator("#bn-clinic-code").fill(code)
        self.page.locator("[data-do=check]").click()
        self.page.wait_for_function(FREE)
        return str(self.page.locator(".bn-verdict").inner_text())

    def choose(self, path: Path) -> str:
        """Open a file and return what is said of it."""
        self.page.evaluate("bnClinic.verdict.replaceChildren()")
        self.page.locator("#bn-clinic input[type=file]").set_input_files(path)
        self.page.wait_for_function("bnClinic.busy || bnClinic.verdict.childElementCount")
        self.page.wait_for_function(FREE)
        return str(self.page.locator(".bn-verdict").inner_text())

    def status(self) -> str:
        """The line beside the buttons."""
        return str(self.page.locator(".bn-clinic .bn-status").inner_text())


@pytest.fixture(scope="module")
def clinic(browser: Any, address: str, site: Path) -> Iterator[Clinic]:
    """The clinic with one Python for the tests below."""
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no code was checked: make runtime")
    with Clinic(browser, f"{address}/book/teach/clinic.html") as visit:
        yield visit


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.xdist_group("book")
class TestInTheBrowser:
    def test_an_example_is_a_click_away_and_lights_the_lost_path(self, clinic: Clinic) -> None:
        page = clinic.page
        assert grave(page) == [], "before"
        page.locator(".bn-examples").get_by_text(EXAMPLES[0]["title"], exact=True).click()
        page.wait_for_function("document.querySelector('.bn-report')")
        page.wait_for_function(FREE)
        assert "variance does not depend on x" in page.locator(".bn-verdict").inner_text()
        lit = page.locator("#fig-clinic-graph .bn-lost")
        assert lit.count() >= 1
        assert all("variance" in lit.nth(n).get_attribute("class") for n in range(lit.count()))
        assert grave(page) == [], "after"

    def test_a_right_pair_is_right_and_nothing_is_lit(self, clinic: Clinic) -> None:
        right = EXAMPLES[0]["code"].replace(
            "dx_hat - dx_hat.mean(axis=0)", "dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)"
        )
        told = clinic.check(right)
        assert "right" in told
        assert "mistaken" not in told
        assert clinic.page.locator(".bn-lost").count() == 0

    def test_a_notebook_is_read_as_one(self, clinic: Clinic) -> None:
        cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        cells = [{**cell, "source": EXAMPLES[0]["code"]}]
        notebook = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        assert "variance does not depend on x" in clinic.check(notebook)

    @pytest.mark.parametrize("text", ["import torch\ntorch.ones(", "hello world", "def f(x):\n    return x"])
    def test_what_is_no_batch_norm_is_told_so(self, clinic: Clinic, text: str) -> None:
        assert "Nothing could be checked" in clinic.check(text)

    def test_an_endless_loop_is_stopped_and_the_next_check_works(self, clinic: Clinic) -> None:
        endless = "def batchnorm_forward(x, gamma, beta, eps=1e-5):\n    while True:\n        pass\n"
        clinic.check(endless)
        assert "never ends" in clinic.status()
        assert "mistaken" in clinic.check(EXAMPLES[1]["code"])

    def test_what_one_file_changes_does_not_reach_the_next(self, clinic: Clinic) -> None:
        poison = "    import numpy\n    numpy.ndarray = numpy.mean = None\n    return x, None\n"
        clinic.check(f"def batchnorm_forward(x, gamma, beta, eps=1e-5):\n{poison}")
        assert "mistaken" in clinic.check(EXAMPLES[1]["code"])

    def test_python_that_ends_itself_is_said_and_the_next_check_works(self, clinic: Clinic) -> None:
        clinic.check("def batchnorm_forward(x, gamma, beta, eps=1e-5):\n    import os\n    os._exit(1)\n")
        assert clinic.status().startswith("Python broke off: ")
        assert "mistaken" in clinic.check(EXAMPLES[1]["code"])

    def test_a_file_is_read_in_its_encoding_and_a_name_is_no_html(self, clinic: Clinic, tmp_path: Path) -> None:
        chosen = tmp_path / "<img src=x onerror=alert(1)>.py"
        chosen.write_bytes(b"hello\0 world")
        assert f"{chosen.name} holds no text" in clinic.choose(chosen)
        chosen.write_text(EXAMPLES[0]["code"], "utf-16")
        assert "variance does not depend on x" in clinic.choose(chosen)
        assert clinic.page.locator(".bn-clinic img").count() == 0

    @pytest.mark.parametrize("place", ["#bn-clinic-code", ".bn-examples", "article h1"])
    def test_a_notebook_that_is_dropped_is_checked(self, clinic: Clinic, tmp_path: Path, place: str) -> None:
        page, dropped = clinic.page, tmp_path / "homework.ipynb"
        cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        cells = [{**cell, "source": EXAMPLES[0]["code"]}]
        dropped.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
        page.evaluate("bnClinic.verdict.replaceChildren()")
        page.locator(place).scroll_into_view_if_needed()
        box = page.locator(place).bounding_box()
        told = {"items": [], "files": [str(dropped)], "dragOperationsMask": 1}
        hand = page.context.new_cdp_session(page)
        for kind in ("dragEnter", "dragOver", "drop"):
            where = {"x": box["x"] + 20, "y": box["y"] + 5}
            hand.send("Input.dispatchDragEvent", {"type": kind, **where, "data": told})
        page.wait_for_function("bnClinic.verdict.childElementCount")
        page.wait_for_function(FREE)
        assert "variance does not depend on x" in page.locator(".bn-verdict").inner_text()
        assert page.url.endswith("/clinic.html"), "the browser has opened the file itself"

    def test_a_long_file_is_checked_whole_and_undo_brings_back_what_stood_there(
        self, clinic: Clinic, tmp_path: Path
    ) -> None:
        field, chosen = clinic.page.locator("#bn-clinic-code"), tmp_path / "long.py"
        field.fill("mine = 1")
        chosen.write_text("# a line that says nothing\n" * 20_000 + EXAMPLES[0]["code"], "utf-8")
        assert "variance does not depend on x" in clinic.choose(chosen)
        assert "long.py is too long to be shown" in field.input_value()
        chosen.write_text("x = 1\n" * 3_000_000, "utf-8")
        clinic.page.locator("#bn-clinic input[type=file]").set_input_files(chosen)
        clinic.page.wait_for_function("bnClinic.status.textContent.includes('of code')")
        assert clinic.status() == "long.py has 18.0 MB of code; at most 1.0 MB is checked. Keep the functions alone."
        assert "long.py is too long to be shown (18.0 MB)" in field.input_value()
        field.fill("mine = 1")
        clinic.page.locator(".bn-examples button").nth(1).click()
        clinic.page.wait_for_function(FREE)
        clinic.page.locator("[data-do=undo]").click()
        assert field.input_value() == "mine = 1"

    def test_nothing_takes_the_place_of_code_that_is_being_checked(self, clinic: Clinic) -> None:
        page, field = clinic.page, clinic.page.locator("#bn-clinic-code")
        field.fill("def batchnorm_forward(x, gamma, beta, eps=1e-5):\n    while True:\n        pass\n")
        page.locator("[data-do=check]").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.dataset.do") == "stop"
        page.locator(".bn-examples button").first.click()
        assert "while True" in field.input_value()
        page.locator("[data-do=stop]").focus()
        page.keyboard.press("Enter")
        page.wait_for_function(FREE)
        assert clinic.status() == "Stopped."
        assert page.evaluate("document.activeElement.dataset.do") == "check"

    def test_nothing_leaves_the_machine(self, clinic: Clinic, address: str) -> None:
        assert [url for url in clinic.requested if not url.startswith((address, "data:", "blob:"))] == []
        assert clinic.complaints == []

    def test_no_code_that_is_pasted_reaches_another_host(
        self, clinic: Clinic, address: str, elsewhere: Elsewhere
    ) -> None:
        there = elsewhere.address
        worker = f"const one = new Worker('{address}/_static/live/worker.js', {{ type: 'module' }})"
        scripts = [
            f"fetch('{there}1')",
            f"import('{there}2')",
            f"importScripts('{there}3')",
            f"const ask = new XMLHttpRequest(); ask.open('GET', '{there}4', false); ask.send()",
            f"new WebSocket('{there.replace('http', 'ws')}5')",
            f"new EventSource('{there}6')",
            f"new Worker('{there}7')",
            f"{worker}; one.postMessage({{ id: 1, code: \"import js; js.fetch('{there}8')\" }})",  # free of the policy
        ]
        code = ["def batchnorm_forward(x, gamma, beta, eps=1e-5):", "    from pyodide.code import run_js"]
        for script in scripts:
            code += ["    try:", f"        run_js({script!r})", "    except Exception:", "        pass"]
        assert "batchnorm_forward" in clinic.check("\n".join([*code, "    return x, None"]))
        clinic.page.wait_for_timeout(5000)
        assert elsewhere.asked == []
