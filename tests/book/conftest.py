"""The built site, once for all tests of the book."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.book import ROOT, build

OUTPUT = Path(os.environ.get("BNCOURSE_BOOK_OUTPUT", ROOT))
"""Where the site is built: by default where `make` builds it, so that nothing is executed twice."""


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site; a build that fails fails every test that asks for it."""
    assert build(ROOT, OUTPUT) == 0, "the book does not build: see the output above"
    return OUTPUT / "_build" / "html"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("CHROMIUM IS MISSING, and no page was looked at: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield opened
        opened.close()
