from collections.abc import Callable

import numpy as np

from bncourse.plots import internal_covariate_shift


def test_chase_names_both_layers(sound: Callable[..., str]) -> None:
    losses, finals = np.linspace(1, 0.1, 100), np.array([0.1, 0.2])
    shown = sound(internal_covariate_shift.chase(losses, losses, np.array([0, 0.1]), finals, finals))
    assert "normalized" in shown


def test_shapes_tells_each_mean_after_the_relu(sound: Callable[..., str]) -> None:
    x_hat = np.random.default_rng(0).standard_normal((50, 2))
    shown = sound(
        internal_covariate_shift.shapes(x_hat, ["one", "two"], np.array([0.25, 0.5])), "one 0.250", "two 0.500"
    )
    assert "0.250" in shown
