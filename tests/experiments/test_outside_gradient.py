import numpy as np

from bncourse.experiments.outside_gradient import BATCHES


def test_the_bias_grows_in_proportion_to_the_steps_while_the_loss_stands_still(quick):
    result = quick("outside_gradient")
    outside = {"part": "growth", "statistics": "outside"}
    after, half = result.values("bias_after", **outside), result.values("bias_after_half", **outside)
    np.testing.assert_allclose(after / half, 2.0, rtol=1e-5, atol=0)
    assert result.interval("bias_after", **outside).low > 10
    assert result.values("loss_change", **outside).max() < 1e-12


def test_with_the_statistics_inside_the_gradient_the_bias_rests(quick):
    inside = quick("outside_gradient").values("bias_after", part="growth", statistics="inside")
    np.testing.assert_allclose(inside, 0.0, rtol=0, atol=1e-12)


def test_the_missing_part_of_the_gradient_shrinks_as_two_directions_of_m(quick):
    result = quick("outside_gradient")
    for size in BATCHES[1:]:
        found = result.interval("relative_error", part="error", batch_size=size)
        expected = np.sqrt(2 / (size - 2))
        assert found.low * 0.9 <= expected <= found.high * 1.1
