def test_a_gamma_that_starts_near_zero_slows_a_sigmoid_network(quick):
    result = quick("affine_parameters")
    start = {"ablation": "start", "activation": "sigmoid"}
    assert result.difference("loss", start | {"gamma": 0.01}, start | {"gamma": 1.0}).low > 0.0


def test_a_rate_of_zero_leaves_gamma_and_beta_at_their_start(quick):
    result = quick("affine_parameters")
    still = {"ablation": "rate", "activation": "sigmoid", "factor": 0.0}
    assert set(result.values("gamma_mean", **still)) == {1.0}
    assert set(result.values("beta_std", **still)) == {0.0}


def test_learned_gamma_and_beta_lower_the_loss(quick):
    result = quick("affine_parameters")
    rate = {"ablation": "rate", "activation": "sigmoid"}
    assert result.difference("loss", rate | {"factor": 0.0}, rate | {"factor": 1.0}).low > 0.0
