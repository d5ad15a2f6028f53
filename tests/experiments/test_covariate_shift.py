import numpy as np

from bncourse.experiments.covariate_shift import importance


def test_importance_weights_mend_what_the_shift_did(quick):
    result = quick("covariate_shift")
    assert result.difference("accuracy", {"treatment": "weighted"}, {"treatment": "none"}).low > 0.01


def test_normalizing_each_side_by_itself_does_not(quick):
    result = quick("covariate_shift")
    assert result.difference("accuracy", {"treatment": "none"}, {"treatment": "normalized"}).low > 0.01


def test_the_weights_are_paid_for_in_examples(quick):
    assert quick("covariate_shift").interval("effective_count", treatment="weighted").high < 500


def test_weighted_training_colors_have_the_mean_of_the_test():
    color = -0.5 + 0.7 * np.random.default_rng(0).standard_normal(400_000)
    weight = importance(color, -0.5, 0.5, 0.7)
    np.testing.assert_allclose((weight * color).mean() / weight.mean(), 0.5, rtol=0, atol=0.02)
