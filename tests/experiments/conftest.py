"""Each quick experiment is run once for all the tests that look at it; most of these runs are among the long tests."""

from collections.abc import Callable
from functools import cache

import pytest

from bncourse.experiments import Result, experiment, run

AT_ONCE = {"covariate_shift", "curvature", "explosion", "l1_norm", "one_update", "outside_gradient", "runner"}
"""Files of tests whose quick run takes a second or less."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one run in one process, and leave what takes longer to the long tests."""
    for item in items:
        if "quick" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
            if item.path.stem.removeprefix("test_") not in AT_ONCE:
                item.add_marker(pytest.mark.long)


@cache
def _quick(name: str) -> Result:
    return run(name, experiment(name).QUICK)


@pytest.fixture
def quick() -> Callable[[str], Result]:
    """Give the result of an experiment's quick form."""
    return _quick
