import numpy as np
import pytest

from bncourse.experiments.l1_norm import backward, center_paths, spread


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_the_backward_pass_agrees_with_finite_differences(norm):
    rng = np.random.default_rng(0)
    x, dy, h = rng.standard_normal((3, 7)), rng.standard_normal((3, 7)), 1e-6

    def loss(x):
        centered = x - x.mean(axis=1, keepdims=True)
        return (dy * centered / spread(centered, norm, 1e-5)).sum()

    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        found[place] = (loss(x + step) - loss(x - step)) / (2 * h)
    np.testing.assert_allclose(backward(x, dy, norm, 1e-5), found, rtol=1e-6, atol=1e-7)


def test_the_share_is_the_surplus_on_one_side_times_the_ratio_of_the_deviations():
    x = np.random.default_rng(1).standard_exponential(12)
    probes = np.random.default_rng(3).standard_normal((20_000, 12))
    direct, through = center_paths(np.broadcast_to(x, probes.shape), probes, "l1", 0.0)
    deviation = x - x.mean()
    share = abs(np.sign(deviation).mean()) * deviation.std() / np.abs(deviation).mean()
    np.testing.assert_allclose(np.sqrt((through**2).mean() / (direct**2).mean()), share, rtol=0.03, atol=0)


def test_the_term_vanishes_for_the_variance_and_not_for_the_absolute_deviation(quick):
    result = quick("l1_norm")
    for shape in ("normal", "exponential"):
        assert result.values("share", norm="l2", shape=shape, size=32).max() < 1e-12
        assert result.values("share", norm="l1", shape=shape, size=32).min() > 0.05


def test_it_fades_with_the_batch_for_a_symmetric_distribution_only(quick):
    result = quick("l1_norm")
    small, large = ({"norm": "l1", "shape": "normal", "size": size} for size in (4, 256))
    assert result.difference("share", small, large).low > 0.0
    assert result.values("share", norm="l1", shape="exponential", size=256).min() > 0.25
