FIXED = {"part": "reported", "activation": "sigmoid", "learned": False, "mean": 0.0}


def test_a_target_variance_near_zero_leaves_a_sigmoid_no_bend_to_learn_with(quick):
    result = quick("targets")
    assert result.values("failed", std=0.01, **FIXED).min() == 1.0
    assert result.interval("accuracy", std=1.0, **FIXED).low > 0.9


def test_one_is_not_the_only_target_that_works(quick):
    assert quick("targets").interval("accuracy", std=10.0, **FIXED).low > 0.9
