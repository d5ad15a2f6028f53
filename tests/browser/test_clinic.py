"""The clinic says what a pasted batch norm believes, and its examples believe what they promise."""

import json
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

    def test_nothing_leaves_the_machine(self, clinic: Clinic, address: str) -> None:
        assert [url for url in clinic.requested if not url.startswith((address, "data:", "blob:"))] == []
        assert clinic.complaints == []
