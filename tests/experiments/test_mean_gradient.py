import numpy as np
import pytest

from bncourse.experiments.mean_gradient import mean_gradient, rounding_shares, share_through_variance
from bncourse.numpy_bn import batch_norm_backward_staged, batch_norm_forward

RNG = np.random.default_rng(0)
X, DY = 3.0 + 2.0 * RNG.standard_normal(8), RNG.standard_normal(8)


def test_at_the_batchs_own_mean_the_parts_are_those_of_the_staged_pass() -> None:
    _, cache = batch_norm_forward(X[:, None], np.ones(1), np.zeros(1), eps=0.1)
    _, stages = batch_norm_backward_staged(DY[:, None], cache)
    parts = mean_gradient(X, DY, X.mean(), eps=0.1)
    np.testing.assert_allclose(parts.direct, stages.dmean_direct[0], rtol=1e-12, atol=0)
    np.testing.assert_allclose(parts.through_var, 0.0, rtol=0, atol=1e-14)


@pytest.mark.parametrize("center", [0.0, 3.0, 10.0])
def test_the_two_parts_are_the_derivative_with_respect_to_the_center(center: float) -> None:
    def loss(c: float) -> float:
        return float((DY * (X - c) / np.sqrt(((X - c) ** 2).mean() + 0.1)).sum())

    parts = mean_gradient(X, DY, center, eps=0.1)
    np.testing.assert_allclose(sum(parts), (loss(center + 1e-6) - loss(center - 1e-6)) / 2e-6, rtol=1e-7, atol=1e-9)


def test_several_upstream_gradients_are_taken_at_once() -> None:
    both = mean_gradient(X, np.stack([DY, 2.0 * DY]), 0.0)
    np.testing.assert_allclose(both.through_var[1], 2.0 * both.through_var[0], rtol=1e-12, atol=0)


def test_the_share_vanishes_at_the_mean_only() -> None:
    assert share_through_variance(X, X.mean()) < 1e-15
    assert share_through_variance(X, X.mean() + 0.1) > 0.01


def test_less_precision_and_a_larger_mean_leave_more_of_the_term() -> None:
    offsets = np.array([1.0, 1000.0])
    half, single = (rounding_shares(dtype, offsets) for dtype in (np.float16, np.float32))
    assert half[0] > 100 * single[0] and half[1] > 100 * single[1]
    assert single[1] > 10 * single[0]
