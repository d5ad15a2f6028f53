"""The built site, once for all tests of the book."""

import os
from pathlib import Path

import numpy as np
import pytest

from tools.book import ROOT, build

OUTPUT = Path(os.environ.get("BNCOURSE_BOOK_OUTPUT", ROOT))
"""Where the site is built: by default where `make` builds it, so that nothing is executed twice."""


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site; a build that fails fails every test that asks for it."""
    assert build(ROOT, OUTPUT) == 0, "the book does not build: see the output above"
    return OUTPUT / "_build" / "html"


@pytest.fixture(autouse=True)
def same_random_numbers(request: pytest.FixtureRequest) -> None:
    """Begin each test at the start of its module's random numbers, so that no order of tests changes what it sees."""
    generator = getattr(request.module, "RNG", None)
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = np.random.default_rng(0).bit_generator.state
