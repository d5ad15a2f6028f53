from collections.abc import Callable

import numpy as np

from bncourse.plots import bug_museum


def test_cancellation_names_both_ways(sound: Callable[..., str]) -> None:
    shown = sound(bug_museum.cancellation(np.array([1.0, 1e4]), {"one pass": [1e-6, 2.0], "two passes": [1e-7, 1e-7]}))
    assert "one pass" in shown
