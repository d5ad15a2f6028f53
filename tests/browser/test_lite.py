"""The assignments that need no PyTorch open in the browser by one click."""

from pathlib import Path
from typing import Any

import pytest

from tools.browser import runtime

pytestmark = pytest.mark.browser


def test_the_assignments_page_opens_five_notebooks_by_one_click(browser: Any, address: str, site: Path) -> None:
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no notebook was looked for: make runtime")
    page = browser.new_page()
    page.goto(f"{address}/book/teach/assignments.html")
    links = page.locator("a[href*='lite/notebooks']")
    addresses = [links.nth(n).get_attribute("href") for n in range(links.count())]
    opened = [link.partition("path=")[2] for link in addresses if "/" not in link.partition("path=")[2]]
    assert sorted(opened) == ["backward.ipynb", "beyond.ipynb", "forward.ipynb", "shift.ipynb", "training.ipynb"]
    assert all((site / "lite" / "files" / name).exists() for name in opened)
    page.close()
