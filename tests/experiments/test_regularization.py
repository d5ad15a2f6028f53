import numpy as np
import pytest


@pytest.mark.parametrize("size", [4, 16, 64])
def test_the_noise_of_an_example_falls_with_the_root_of_the_batch(quick, size):
    noise = quick("regularization").interval("noise", part="noise", batch_size=size)
    expected = np.sqrt(1.5 / size)  # Gaussian features: the mean gives 1/m, the variance x_hat^2 / 2m
    assert abs(noise.mean / expected - 1.0) < 0.15


def test_under_weight_decay_a_step_turns_the_weight_by_the_root_of_twice_rate_times_decay(quick):
    result = quick("regularization")
    for condition in result.conditions():
        if condition["part"] == "equilibrium":
            turn = result.interval("turn", **condition)
            expected = result.values("expected_turn", **condition)[0]
            assert abs(turn.mean / expected - 1.0) < 0.15


def test_rate_and_decay_count_by_their_product_only(quick):
    result = quick("regularization")
    one = result.interval("turn", part="equilibrium", rate=0.5, decay=0.05)
    other = result.interval("turn", part="equilibrium", rate=0.25, decay=0.1)
    assert abs(one.mean / other.mean - 1.0) < 0.05
    longer = result.difference(
        "length",
        {"part": "equilibrium", "rate": 0.5, "decay": 0.05},
        {"part": "equilibrium", "rate": 0.25, "decay": 0.1},
    )
    assert longer.low > 0.5


def test_dropout_raises_the_training_loss_on_both_sides(quick):
    result = quick("regularization")
    for norm in ("none", "batch"):
        grid = {"part": "grid", "norm": norm, "decay": 0.0}
        assert result.difference("loss", grid | {"dropout": 0.5}, grid | {"dropout": 0.0}).low > 0.0
