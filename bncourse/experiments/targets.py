"""Other targets than mean 0 and variance 1.

Batch normalization could as well aim at another mean and another standard deviation: y = s * x_hat + c, with s and c
fixed and no gamma or beta to undo them. For a sigmoid the target decides how much of its bend is used; for a
rectified unit the scale is passed on, and only the mean relative to it matters.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bncourse.experiments.networks import mlp, normalizations
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, outcome, tensors, train

QUESTION = "Would another target mean or variance do as well as 0 and 1?"


@dataclass(frozen=True, kw_only=True)
class TargetsConfig(Config):
    """Gamma and beta are fixed at the target, or start there and are learned."""

    activations: tuple[str, ...] = ("relu", "sigmoid")
    stds: tuple[float, ...] = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
    means: tuple[float, ...] = (-3.0, -1.0, 1.0, 3.0)
    learned: tuple[bool, ...] = (False, True)
    hidden: tuple[int, ...] = (100, 100, 100)
    steps: int = 2000
    batch_size: int = 60
    rate: float = 0.3


FULL = TargetsConfig(data="mnist")
QUICK = TargetsConfig(
    seeds=(0, 1, 2), activations=("sigmoid",), stds=(0.01, 1.0, 10.0), means=(), learned=(False,), steps=300
)


def units(config: TargetsConfig, finished: Finished) -> list[Unit]:
    """Plan every standard deviation about mean 0, and every mean with standard deviation 1."""
    activations, learned = config.activations, config.learned
    return grid(config.seeds, activation=activations, learned=learned, std=config.stds, mean=[0.0]) + grid(
        config.seeds, activation=activations, learned=learned, std=[1.0], mean=config.means
    )


def measure(config: TargetsConfig, unit: Unit) -> dict[str, Any]:
    """Train once towards the target."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm="batch", activation=unit["activation"]).to(config.device)
    for layer in normalizations(model):
        nn.init.constant_(layer.weight, unit["std"]).requires_grad_(unit["learned"])
        nn.init.constant_(layer.bias, unit["mean"]).requires_grad_(unit["learned"])
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=config.rate)
    return {"accuracy": accuracy(model, data.x_test, data.y_test), **outcome(losses)}
