import numpy as np
import pytest

from bncourse.experiments.centers import (
    CENTERS,
    SPREADS,
    error_of_holding,
    spread_gradient,
)

OWN = {"mean": "mean square", "median": "mean absolute value", "mid-range": "largest absolute value"}
SKEWED = np.random.default_rng(1).standard_exponential(12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("center", CENTERS)
def test_a_center_may_be_held_in_its_own_spread_and_in_no_other(center: str, seed: int) -> None:
    x = np.random.default_rng(seed).standard_exponential(12) ** 2
    for name, spread in SPREADS.items():
        error = error_of_holding(x, CENTERS[center], spread)
        assert error < 1e-6 if OWN[center] == name else error > 0.01, (name, error)


def test_a_held_center_gives_the_partial_derivative() -> None:
    x = SKEWED
    held = spread_gradient(x, lambda _: 0.0, SPREADS["mean square"], held=True)
    np.testing.assert_allclose(held, 2.0 * x / x.size, rtol=1e-6, atol=1e-9)
