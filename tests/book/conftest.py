"""The built site, once for all tests of the book."""

import os
from pathlib import Path

import pytest

from tools.book import ROOT, build

OUTPUT = Path(os.environ.get("BNCOURSE_BOOK_OUTPUT", ROOT))
"""Where the site is built: by default where `make` builds it, so that nothing is executed twice."""


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site; a build that fails fails every test that asks for it."""
    assert build(ROOT, OUTPUT) == 0, "the book does not build: see the output above"
    return OUTPUT / "_build" / "html"
