"""Is depth the same story on pictures: narrow residual convolutional networks, with and without batch normalization.

A stem, two stages of residual blocks of two 3 x 3 convolutions each (the second stage has half the pixels and twice
the channels), the mean over the pixels, and a read-out. The arms are those of `depth`: no normalization, batch and
layer normalization (one group over channels and pixels), one scalar from 0 on each branch (SkipInit), and a start in
the manner of Fixup. Every arm has its own best learning rate.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from bncourse.experiments.deep_networks import Block
from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.result import Label, Unit
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, batches, outcome, train
from bncourse.experiments.tuning import TunedConfig, combinations, plan

QUESTION = "Does a residual network of convolutions need batch normalization as one of linear layers does?"


@dataclass(frozen=True, kw_only=True)
class ResidualConvnetConfig(TunedConfig):
    """Depths in blocks of two convolutions each; half of the blocks in each stage."""

    norms: tuple[str, ...] = ("none", "batch", "layer", "skipinit", "fixup")
    depths: tuple[int, ...] = (2, 16)
    channels: int = 8
    steps: int = 300
    momentum: float = 0.9
    pool: int = 2
    """Rows and columns of a picture that are averaged into one."""
    batch_size: int = 64
    test: int = 4000
    """So many pictures decide on a rate, and as many of the test set are reported."""


FULL = ResidualConvnetConfig(
    seeds=tuple(range(10)), data="mnist", rates=(0.01, 0.03, 0.1), limits=(0.0003, 3.0), tuning_seeds=(1000,)
)
QUICK = ResidualConvnetConfig(
    seeds=(0, 1, 2),
    rates=(0.1,),
    limits=(0.1, 0.1),
    tuning_seeds=(1000,),
    held_out=200,
    norms=("none", "batch"),
    depths=(16,),
    steps=40,
    batch_size=32,
    pool=1,
)


def units(config: ResidualConvnetConfig, finished: Finished) -> list[Unit]:
    """Plan every normalization at every depth."""
    arms: list[dict[str, Label]] = combinations(depth=config.depths, norm=config.norms)
    return plan(config, finished, arms)


def measure(config: ResidualConvnetConfig, unit: Unit) -> dict[str, Any]:
    """Train one network."""
    torch.manual_seed(unit.seed)
    data = Tensors(*(avg_pool2d(t, config.pool) if t.ndim == 4 else t for t in pictures(config, unit["part"])))
    data = data._replace(x_test=data.x_test[: config.test], y_test=data.y_test[: config.test])
    model = ResidualConvnet(config.channels, unit["depth"], norm=unit["norm"]).to(config.device)
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"], momentum=config.momentum)
    return score(model, data, unit["part"]) | outcome(losses)


class ResidualConvnet(nn.Module):
    """Stem, two stages of blocks, mean over the pixels, read-out."""

    def __init__(self, channels: int, depth: int, *, norm: str, classes: int = 10) -> None:
        super().__init__()
        if depth % 2:
            raise ValueError(f"depth is {depth}. Expected an even number: half of the blocks are in each stage.")
        wide = 2 * channels
        first = [ConvolutionalBlock(channels, norm=norm, depth=depth) for _ in range(depth // 2)]
        second = [ConvolutionalBlock(wide, norm=norm, depth=depth) for _ in range(depth // 2)]
        stem, between = convolution(1, channels, stride=2), convolution(channels, wide, stride=2)
        self.body = nn.Sequential(stem, *first, between, *second, normalization(norm, wide), nn.ReLU())
        self.read_out = nn.Linear(wide, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits for pictures of shape (N, 1, side, side)."""
        return self.read_out(self.body(x).mean((2, 3)))  # type: ignore[no-any-return]


class ConvolutionalBlock(Block):
    """A residual block with convolutions in its branch, for h of shape (N, C, H, W)."""

    def __init__(self, channels: int, *, norm: str, depth: int) -> None:
        super().__init__(channels, residual=True, norm=norm, depth=depth)

    def normalization(self, width: int, norm: str) -> nn.Module:
        """Make one normalization of maps."""
        return normalization(norm, width)

    def layer(self, width: int, norm: str) -> nn.Linear | nn.Conv2d:
        """Make one convolution; before a normalization a bias would cancel."""
        return convolution(width, width, bias=norm in ("none", "skipinit"))


def normalization(norm: str, channels: int) -> nn.Module:
    """Return the layer for maps of that many channels; the starts that need none get the identity."""
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(1, channels) if norm == "layer" else nn.Identity()


def convolution(inputs: int, outputs: int, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    """Return a 3 x 3 convolution with He's normal weights and a bias of zero."""
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)
    with torch.no_grad():
        layer.weight.normal_(0.0, (2.0 / (9 * inputs)) ** 0.5)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer
