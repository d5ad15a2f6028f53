from bncourse.experiments.affine_arms import arm

REPORTED = {"part": "reported"}


def test_a_gamma_that_starts_near_zero_slows_a_sigmoid_network(quick):
    result = quick("affine_parameters")
    slow, usual = (arm("sigmoid", gamma=gamma) | REPORTED for gamma in (0.01, 1.0))
    assert result.difference("loss", slow, usual).low > 0.0


def test_a_rate_of_zero_leaves_gamma_and_beta_at_their_start(quick):
    result = quick("affine_parameters")
    still = arm("sigmoid", factor=0.0) | REPORTED
    assert set(result.values("gamma_mean", **still)) == {1.0}
    assert set(result.values("beta_std", **still)) == {0.0}


def test_learned_gamma_and_beta_lower_the_loss(quick):
    result = quick("affine_parameters")
    still, learned = (arm("sigmoid", factor=factor) | REPORTED for factor in (0.0, 1.0))
    assert result.difference("loss", still, learned).low > 0.0
