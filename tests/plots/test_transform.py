from collections.abc import Callable

import numpy as np

from bncourse.plots import transform


def test_kept_shows_before_and_after(sound: Callable[..., str]) -> None:
    x = np.random.default_rng(0).standard_normal((20, 2))
    assert "before" in sound(transform.kept(x, x), "same")


def test_sigmoid_scales_names_each_gamma(sound: Callable[..., str]) -> None:
    assert "γ = 5" in sound(transform.sigmoid_scales((1, 2, 5)))


def test_placement_leaves_out_dead_units(sound: Callable[..., str]) -> None:
    rng = np.random.default_rng(0)
    relu = np.maximum(rng.standard_normal((40, 5)), 0)
    relu[:, 0] = 0.0
    sound(transform.placement(relu, rng.standard_normal((40, 5))))
