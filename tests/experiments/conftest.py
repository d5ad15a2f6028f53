"""Each quick experiment is run once for all the tests that look at it."""

from functools import cache

import pytest

from bncourse.experiments import Result, experiment, run


@cache
def _quick(name: str) -> Result:
    return run(name, experiment(name).QUICK)


@pytest.fixture
def quick():
    return _quick
