import pytest
import torch

from bncourse.experiments.residual_convnet import ConvolutionalBlock, ResidualConvnet, normalization


def test_batch_norm_lets_a_deep_network_of_convolutions_learn_evenly(quick):
    result = quick("residual_convnet")
    accuracy = {norm: result.values("accuracy", part="reported", norm=norm, depth=16) for norm in ("none", "batch")}
    assert accuracy["batch"].min() > accuracy["none"].min() + 0.2


@pytest.mark.parametrize("norm", ["skipinit", "fixup"])
def test_a_branch_that_starts_at_zero_leaves_the_block_an_identity(norm):
    torch.manual_seed(0)
    h = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(ConvolutionalBlock(4, norm=norm, depth=4)(h), h, rtol=0, atol=0)


def test_layer_norm_of_maps_is_taken_over_channels_and_pixels():
    h = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(0)) + 2
    y = normalization("layer", 4)(h).detach()
    torch.testing.assert_close(y.mean((1, 2, 3)), torch.zeros(3), rtol=0, atol=1e-5)


def test_half_of_the_blocks_are_in_each_stage():
    blocks = [layer for layer in ResidualConvnet(4, 6, norm="batch").body if isinstance(layer, ConvolutionalBlock)]
    assert [block.layers[0].in_channels for block in blocks] == [4, 4, 4, 8, 8, 8]
    with pytest.raises(ValueError, match="Expected an even number"):
        ResidualConvnet(4, 3, norm="batch")
