import pytest
import torch

from bncourse.experiments.deep_networks import Block, DeepNetwork

START = {"part": "start", "shape": "residual", "depth": 16}
REPORTED = {"part": "reported", "shape": "residual", "depth": 16}


def test_without_normalization_the_signal_grows_by_a_factor_and_with_it_by_addition(quick):
    result = quick("depth")
    grown = {norm: result.values("signal_growth", norm=norm, **START) for norm in ("none", "batch", "skipinit")}
    assert (grown["none"] > 10 * grown["batch"]).all()
    assert (grown["skipinit"] == 1.0).all()


def test_with_batch_norm_the_last_branch_contributes_a_small_share(quick):
    result = quick("depth")
    shares = {norm: result.values("last_share", norm=norm, **START) for norm in ("none", "batch")}
    assert (shares["batch"] < 0.2).all() and (shares["none"] > shares["batch"]).all()


def test_a_deep_residual_network_learns_with_batch_norm_and_not_without(quick):
    result = quick("depth")
    none, batch = ({"norm": norm, **REPORTED} for norm in ("none", "batch"))
    assert result.difference("accuracy", batch, none).low > 0.3


@pytest.mark.parametrize("norm", ["skipinit", "fixup"])
def test_a_branch_that_starts_at_zero_leaves_the_block_an_identity(norm):
    torch.manual_seed(0)
    h = torch.randn(5, 8)
    torch.testing.assert_close(Block(8, residual=True, norm=norm, depth=4)(h), h, rtol=0, atol=0)


def test_fixup_makes_the_first_layer_of_a_branch_smaller_with_depth():
    weights = []
    for depth in (1, 16):
        torch.manual_seed(0)
        weights.append(Block(8, residual=True, norm="fixup", depth=depth).layers[0].weight)
    torch.testing.assert_close(weights[1], weights[0] / 4, rtol=1e-6, atol=0)


def test_a_plain_block_cannot_start_at_zero():
    with pytest.raises(ValueError, match="Expected residual=True"):
        DeepNetwork(4, 8, 2, residual=False, norm="skipinit")
