from collections.abc import Callable

import numpy as np

from bncourse.plots import convolution


def test_maps_shows_each_row_by_its_name(sound: Callable[..., str]) -> None:
    pictures = np.random.default_rng(0).standard_normal((3, 8, 8))
    assert "per pixel" in sound(convolution.maps({"input": pictures, "per pixel": pictures}))


def test_effective_counts_names_each_data_set(sound: Callable[..., str]) -> None:
    sizes = np.array([2, 4])
    shown = sound(convolution.effective_counts(sizes, 64 * sizes, {"digits": 90 * sizes, "photographs": sizes}))
    assert "worth, photographs" in shown
