from collections.abc import Callable

import numpy as np

from bncourse.plots import failure_museum


def test_lottery_tells_the_largest_factor_of_each_eps(sound: Callable[..., str]) -> None:
    gap = np.geomspace(1e-6, 1, 30)
    factors = {eps: eps / (gap**2 + eps) ** 1.5 for eps in (1e-3, 1e-5)}
    assert "eps = 1e-05" in sound(failure_museum.lottery(gap, factors), "316 for eps 1e-05")


def test_own_statistics_tells_the_accuracy_at_each_size(sound: Callable[..., str]) -> None:
    drawn = failure_museum.own_statistics([2, 8], {"as they come": [60.0, 90.0], "sorted": [10.0, 20.0]}, 97.0)
    assert "running statistics" in sound(drawn, "as they come 60, 90", "sorted 10, 20")
