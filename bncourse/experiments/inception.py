"""The paper's Figure 3 in miniature, and batch normalization's share of "14 times fewer steps".

An Inception-style network on digits. Five rows are those of the published table: the baseline; the baseline with batch
normalization and nothing else; and batch normalization with all seven changes of section 4.2.1, at five and thirty
times the rate, and with sigmoids. The published table lacks a row: the seven changes *without* batch normalization. It
stands here at the baseline's rate and at five times that; and one more rate shows where the normalized network
falls. The baseline's rate is tuned first, on held-out pictures; the others are multiples of it, as in the paper.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.inception_network import network
from bncourse.experiments.inception_recipes import ROWS, Recipe, recipe
from bncourse.experiments.result import Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.shuffling import again
from bncourse.experiments.training import Array, Tensors, accuracy, batches, outcome, train
from bncourse.experiments.tuning import TunedConfig, plan

QUESTION = "How many steps does batch normalization save, and how many do the seven changes beside it?"

BASELINE = "Inception"

CLIFF = ("Changes-x0.3", "Changes-x1", "Changes-x2", "Changes-x3", "Changes-x5", "BN-x15")
"""The missing row, and the rates around the ones at which a network falls."""


@dataclass(frozen=True, kw_only=True)
class InceptionConfig(TunedConfig):
    """The batch size is the paper's, which names no momentum; the network, the data and the steps are small."""

    variants: tuple[str, ...] = (*ROWS, *CLIFF)
    width: int = 8
    steps: int = 300
    batch_size: int = 32
    momentum: float = 0.9
    every: int = 25
    looked: int = 1000
    """Of the held-out pictures, those on which the accuracy is followed during training."""
    test: int = 2000


FULL = InceptionConfig(seeds=tuple(range(10)), data="mnist", rates=(0.01, 0.03, 0.1), limits=(0.001, 1.0))
QUICK = InceptionConfig(
    variants=("Inception", "BN-Baseline", "BN-x5", "Changes-x5"),
    rates=(0.03,),
    limits=(0.03, 0.03),
    tuning_seeds=(1000,),
    seeds=(0, 1, 2, 3, 4),
    steps=80,
    every=20,
    held_out=200,
    looked=200,
)


def units(config: InceptionConfig, finished: Finished) -> list[Unit]:
    """Plan the tuning of the baseline, and once it is finished the other rows at multiples of its rate."""
    planned = plan(config, finished, [{"variant": BASELINE}])
    if planned[-1]["part"] == "tuning":
        return planned
    others = [variant for variant in config.variants if variant != "Inception"]
    rate = planned[-1]["rate"]
    return planned + [
        unit for name in others for unit in grid(config.seeds, part=["reported"], variant=[name], rate=[rate])
    ]


def measure(config: InceptionConfig, unit: Unit) -> dict[str, Any]:
    """Train one network; follow it on held-out pictures, and test it at the end."""
    part = unit["part"]
    data, held_out = pictures(config, part), pictures(config, "tuning")
    data = data._replace(x_test=data.x_test[: config.test], y_test=data.y_test[: config.test])
    followed = data._replace(x_test=held_out.x_test[: config.looked], y_test=held_out.y_test[: config.looked])
    torch.manual_seed(unit.seed)
    model, values = fit(config, recipe(unit["variant"]), followed, unit.seed, unit["rate"])
    return values | score(model, data, part)


def fit(
    config: InceptionConfig, how: Recipe, data: Tensors, seed: int, rate: float
) -> tuple[nn.Module, dict[str, Any]]:
    """Train one network by its recipe, and follow its accuracy on `x_test` now and then."""
    model = network(how, config.width, data.x_train.shape[-1]).to(config.device)
    count, size = len(data.x_train), config.batch_size
    order: Iterator[Array] = batches(count, size, seed) if how.reshuffle else again(count, size, seed, reorder=False)
    generator = torch.Generator().manual_seed(seed)
    looks, accuracies = [], []

    def look(step: int, loss: float) -> None:
        if step % config.every == 0:
            looks.append(step)
            accuracies.append(accuracy(model, data.x_test, data.y_test))

    losses = train(
        Distorted(model, how.distortion, generator),
        data,
        order,
        steps=config.steps,
        rate=rate * how.rate_factor,
        momentum=config.momentum,
        weight_decay=how.weight_decay,
        rate_at=lambda step: float(0.5 ** (how.halvings * step / config.steps)),
        on_step=look,
    )
    found = accuracies or [0.0]
    return model, {
        "steps": looks,
        "accuracies": np.array(found),
        "final_accuracy": found[-1],
        "best_accuracy": max(found),
        **outcome(losses),
    }


class Distorted(nn.Module):
    """A model that sees each training picture with another contrast and brightness."""

    def __init__(self, model: nn.Module, strength: float, generator: torch.Generator) -> None:
        super().__init__()
        self.model, self.strength, self.generator = model, strength, generator

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Distort in training, then apply the model."""
        if self.training:
            contrast, brightness = self.strength * (2 * torch.rand((2, len(x), 1, 1, 1), generator=self.generator) - 1)
            x = (1 + contrast.to(x.device)) * x + brightness.to(x.device)
        y: torch.Tensor = self.model(x)
        return y
