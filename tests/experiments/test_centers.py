import numpy as np
import pytest

from bncourse.experiments.centers import (
    CENTERS,
    SPREADS,
    error_of_holding,
    l1_gradient,
    l1_share,
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


@pytest.mark.parametrize("term", [True, False])
def test_the_gradient_of_l1_batch_norm_needs_the_term(term: bool) -> None:
    dy = np.random.default_rng(2).standard_normal(SKEWED.size)

    def loss(x: np.ndarray) -> float:
        return float((dy * (x - x.mean()) / np.abs(x - x.mean()).mean()).sum())

    steps = 1e-6 * np.eye(SKEWED.size)
    numerical = np.array([(loss(SKEWED + step) - loss(SKEWED - step)) / 2e-6 for step in steps])
    error = np.linalg.norm(l1_gradient(SKEWED, dy, term=term) - numerical) / np.linalg.norm(numerical)
    assert error < 1e-7 if term else error > 0.01


def test_the_share_is_that_of_random_upstream_gradients() -> None:
    probes = np.random.default_rng(3).standard_normal((20_000, SKEWED.size))
    deviation = SKEWED - SKEWED.mean()
    spread = np.abs(deviation).mean()
    direct = probes.sum(axis=1) / spread
    through = (probes @ deviation) / spread**2 * np.sign(deviation).mean()
    np.testing.assert_allclose(np.sqrt((through**2).mean() / (direct**2).mean()), l1_share(SKEWED), rtol=0.03)


def test_a_held_center_gives_the_partial_derivative() -> None:
    x = SKEWED
    held = spread_gradient(x, lambda _: 0.0, SPREADS["mean square"], held=True)
    np.testing.assert_allclose(held, 2.0 * x / x.size, rtol=1e-6, atol=1e-9)
