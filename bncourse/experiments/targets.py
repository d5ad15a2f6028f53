"""Other targets than mean 0 and variance 1.

Batch normalization could as well aim at another mean and another standard deviation: y = s * x_hat + c, with s and c
fixed and no gamma or beta to undo them. For a sigmoid the target decides how much of its bend is used; for a
rectified unit the scale is passed on, and only the mean relative to it matters. A larger target also makes every
gradient behind it larger, so each target has a learning rate of its own.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.networks import mlp, normalizations
from bncourse.experiments.result import Unit
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import batches, outcome, train
from bncourse.experiments.tuning import TunedConfig, combinations, plan

QUESTION = "Would another target mean or variance do as well as 0 and 1?"


@dataclass(frozen=True, kw_only=True)
class TargetsConfig(TunedConfig):
    """Gamma and beta are fixed at the target, or start there and are learned."""

    activations: tuple[str, ...] = ("relu", "sigmoid")
    stds: tuple[float, ...] = (0.1, 1.0, 10.0)
    means: tuple[float, ...] = (-2.0, 2.0)
    learned: tuple[bool, ...] = (False, True)
    hidden: tuple[int, ...] = (100, 100, 100)
    steps: int = 800
    batch_size: int = 60


FULL = TargetsConfig(data="mnist", rates=(0.1, 0.3, 1.0), tuning_seeds=(1000,))
QUICK = TargetsConfig(
    seeds=(0, 1, 2),
    rates=(0.3,),
    limits=(0.3, 0.3),
    tuning_seeds=(1000,),
    held_out=200,
    activations=("sigmoid",),
    stds=(0.01, 1.0, 10.0),
    means=(),
    learned=(False,),
    steps=150,
)


def units(config: TargetsConfig, finished: Finished) -> list[Unit]:
    """Plan every standard deviation about mean 0, and every mean with standard deviation 1."""
    arms = []
    for stds, means in ((config.stds, (0.0,)), ((1.0,), config.means)):
        arms += combinations(activation=config.activations, learned=config.learned, std=stds, mean=means)
    return plan(config, finished, arms)


def measure(config: TargetsConfig, unit: Unit) -> dict[str, Any]:
    """Train once towards the target."""
    data = pictures(config, unit["part"])
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm="batch", activation=unit["activation"]).to(config.device)
    for layer in normalizations(model):
        nn.init.constant_(layer.weight, unit["std"]).requires_grad_(unit["learned"])
        nn.init.constant_(layer.bias, unit["mean"]).requires_grad_(unit["learned"])
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"])
    return score(model, data, unit["part"]) | outcome(losses)
