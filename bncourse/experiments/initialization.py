"""Careless starts: initial weights far too small or far too large, with and without batch normalization.

Section 3.3 of the paper: BN(Wu) = BN((aW)u), so the scale of the weights before a normalization does not reach the next
layer. It does reach the gradient, which is divided by a: a start that is ten times too large makes the
first steps a hundred times smaller relative to the weights. So every scale is tried at several rates.
"""

from dataclasses import dataclass
from typing import Any

import torch

from bncourse.experiments.networks import mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, outcome, tensors, train

QUESTION = "How careless may the initial weights be, with and without batch normalization?"


@dataclass(frozen=True, kw_only=True)
class InitializationConfig(Config):
    """`scales` are factors on He's standard deviation, sqrt(2 / inputs), in every layer, the read-out included."""

    norms: tuple[str, ...] = ("none", "batch")
    scales: tuple[float, ...] = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
    rates: tuple[float, ...] = (0.01, 0.1, 1.0)
    hidden: tuple[int, ...] = (100, 100, 100)
    steps: int = 3000
    batch_size: int = 60


FULL = InitializationConfig(data="mnist")
QUICK = InitializationConfig(seeds=(0, 1, 2), scales=(0.01, 1.0, 10.0), rates=(0.1,), steps=300)


def units(config: InitializationConfig, finished: Finished) -> list[Unit]:
    """Plan every scale at every rate."""
    return grid(config.seeds, norm=config.norms, scale=config.scales, rate=config.rates)


def measure(config: InitializationConfig, unit: Unit) -> dict[str, Any]:
    """Train once from that start."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm=unit["norm"], scale=unit["scale"]).to(config.device)
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"])
    return {"accuracy": accuracy(model, data.x_test, data.y_test), **outcome(losses)}
