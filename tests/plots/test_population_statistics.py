from collections.abc import Callable

import numpy as np

from bncourse.plots import population_statistics


def test_bias_shows_both_estimates(sound: Callable[..., str]) -> None:
    sizes = np.array([2, 4])
    assert "times m / (m - 1)" in sound(population_statistics.bias(sizes, (sizes - 1) / sizes, np.ones(2)))


def test_tracking_names_each_kind_of_statistics(sound: Callable[..., str]) -> None:
    shown = sound(population_statistics.tracking(np.arange(4), np.full((4, 3), 50.0), ["fast", "slow", "exact"]))
    assert {"fast", "slow", "exact"} <= set(shown.split())
