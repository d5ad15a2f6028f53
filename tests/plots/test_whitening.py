from collections.abc import Callable

import numpy as np

from bncourse.plots import whitening


def test_descent_shrinks_the_slowest_error_by_the_textbook_rate() -> None:
    path = whitening.descent(np.diag([1.0, 9.0]), np.array([1.0, 0.0]), 3)
    np.testing.assert_allclose(path[:, 0], 0.8 ** np.arange(4), rtol=1e-12, atol=0)


def test_valleys_shows_a_panel_for_each_input(sound: Callable[..., str]) -> None:
    x = np.random.default_rng(0).standard_normal((20, 2))
    shown = sound(whitening.valleys({"raw": x, "other": 2 * x}, steps=3))
    assert "raw" in shown
    assert "other" in shown


def test_runaway_names_inside_and_outside(sound: Callable[..., str]) -> None:
    shown = sound(whitening.runaway({"inside": np.zeros((2, 5)), "outside": np.ones((2, 5))}, every=2))
    assert "statistics outside the gradient" in shown


def test_crossing_names_both_ways_to_whiten(sound: Callable[..., str]) -> None:
    gaps = np.array([1e-3, 1.0])
    sound(whitening.crossing(gaps, {"PCA": 1 / gaps, "ZCA": np.ones(2)}), "PCA", "ZCA")
