import numpy as np
import pytest

from bncourse.experiments.networks import mlp
from bncourse.experiments.regularization import decaying


@pytest.mark.parametrize("size", [4, 16, 64])
def test_the_noise_of_an_example_falls_with_the_root_of_the_batch(quick, size):
    noise = quick("regularization").interval("noise", part="noise", batch_size=size)
    expected = np.sqrt(1.5 / size)  # Gaussian features: the mean gives 1/m, the variance x_hat^2 / 2m
    assert abs(noise.mean / expected - 1.0) < 0.15


def test_dropout_raises_the_training_loss_on_both_sides(quick):
    result = quick("regularization")
    for norm in ("none", "batch"):
        arm = {"part": "reported", "norm": norm, "decay": 0.0}
        assert result.difference("loss", arm | {"dropout": 0.5}, arm | {"dropout": 0.0}).low > 0.0


@pytest.mark.parametrize(
    ("where", "before", "elsewhere"),
    [("nowhere", 0.0, 0.0), ("everywhere", 0.1, 0.1), ("before a normalization", 0.1, 0.0), ("elsewhere", 0.0, 0.1)],
)
def test_l2_is_put_on_the_named_parameters_only(where, before, elsewhere):
    model = mlp(4, (3, 3), norm="batch")
    groups = decaying(model, where, 0.5, 0.1).param_groups
    assert [group["weight_decay"] for group in groups] == [before, elsewhere]
    assert [p.shape for p in groups[0]["params"]] == [(3, 4), (3, 3)]
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
