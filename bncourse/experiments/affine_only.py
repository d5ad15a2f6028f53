"""Only gamma and beta are trained, and all weights stay as they were drawn (Frankle, Schwab, Morcos 2021).

On small digits, networks of two widths are trained in four ways: everything, gamma and beta only, the read-out only,
and as many weights, drawn at random, as there are gammas and betas. Each way has its own best learning rate.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.networks import linear_layers, mlp, normalizations
from bncourse.experiments.result import Unit
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import batches, outcome, train
from bncourse.experiments.tuning import TunedConfig, combinations, plan

QUESTION = "How much can a network learn if only gamma and beta are trained and all weights stay random?"


@dataclass(frozen=True, kw_only=True)
class AffineOnlyConfig(TunedConfig):
    """Three hidden layers."""

    trained: tuple[str, ...] = ("everything", "gamma and beta", "read-out", "as many weights")
    widths: tuple[int, ...] = (32, 256)
    layers: int = 3
    steps: int = 400
    batch_size: int = 60


FULL = AffineOnlyConfig(rates=(0.1, 0.3, 1.0), tuning_seeds=(1000, 1001), held_out=200)
QUICK = AffineOnlyConfig(
    seeds=(0, 1, 2), rates=(1.0,), limits=(1.0, 1.0), tuning_seeds=(1000,), held_out=200, widths=(64,), steps=200
)


def units(config: AffineOnlyConfig, finished: Finished) -> list[Unit]:
    """Plan every way with every width."""
    return plan(config, finished, combinations(trained=config.trained, width=config.widths))


def measure(config: AffineOnlyConfig, unit: Unit) -> dict[str, Any]:
    """Train what is to be trained."""
    data = pictures(config, unit["part"])
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), [unit["width"]] * config.layers, norm="batch")
    affine: list[torch.Tensor] = [p for layer in normalizations(model) for p in (layer.weight, layer.bias)]
    weights: list[torch.Tensor] = [layer.weight for layer in linear_layers(model)]
    count = sum(p.numel() for p in affine)
    kinds: dict[str, list[torch.Tensor]] = {
        "everything": list(model.parameters()),
        "gamma and beta": affine,
        "read-out": list(linear_layers(model)[-1].parameters()),
        "as many weights": weights,
    }
    chosen = kinds[unit["trained"]]
    for p in model.parameters():
        p.requires_grad_(any(p is kept for kept in chosen))
    if unit["trained"] == "as many weights":
        keep_some(weights, count)
    optimizer = torch.optim.SGD(chosen, lr=unit["rate"])
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"], optimizer=optimizer)
    trained = count if unit["trained"] == "as many weights" else sum(p.numel() for p in chosen)
    return score(model, data, unit["part"]) | {"parameters": trained, **outcome(losses)}


def keep_some(weights: list[torch.Tensor], count: int) -> None:
    """Let only `count` of all weights, drawn at random, have a gradient other than zero."""
    total = sum(p.numel() for p in weights)
    mask = torch.zeros(total)
    mask[torch.randperm(total)[:count]] = 1.0
    for p, part in zip(weights, torch.split(mask, [p.numel() for p in weights]), strict=True):
        p.register_hook(partial(torch.mul, part.view_as(p)))  # type: ignore[no-untyped-call]
