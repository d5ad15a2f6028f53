"""The landscape along the gradient, and how far a step can go before the loss surprises it (Santurkar et al. 2018).

At times during training the network walks along the negative gradient of one batch, in steps up to a few times the
rate, without staying there. Three numbers per walk: the spread of the loss along it, the largest change of the
gradient, and the effective smoothness beta, the largest change of the gradient divided by the distance walked.
Smaller is smoother. All three are given for the walk as it is, and beta also relative to the weights' size, since
batch norm makes the scale of a weight meaningless.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bncourse.experiments.networks import mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Array, Tensors, accuracy, batches, outcome, tensors, train

QUESTION = "Is the loss smoother along the gradient with batch normalization?"


@dataclass(frozen=True, kw_only=True)
class LandscapeConfig(Config):
    """Walks of `walk` times the rate, each way-point measured on the batch whose gradient is followed."""

    norms: tuple[str, ...] = ("none", "batch")
    activation: str = "sigmoid"
    hidden: tuple[int, ...] = (100, 100, 100)
    rates: tuple[float, ...] = (0.1, 1.0)
    steps: int = 5000
    every: int = 100
    batch_size: int = 60
    walk: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)


FULL = LandscapeConfig(data="mnist")
QUICK = LandscapeConfig(seeds=(0, 1, 2), rates=(1.0,), steps=300, every=30)


def units(config: LandscapeConfig, finished: Finished) -> list[Unit]:
    """Plan both networks at every rate."""
    return grid(config.seeds, norm=config.norms, rate=config.rates)


def measure(config: LandscapeConfig, unit: Unit) -> dict[str, Any]:
    """Train, and now and then look ahead."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm=unit["norm"], activation=config.activation)
    model.to(config.device)
    probes = batches(len(data.x_train), config.batch_size, unit.seed + 500)
    walks: list[dict[str, float]] = []

    def look(step: int, loss: float) -> None:
        if step % config.every == 0:
            walks.append(walk(model, data, next(probes), [unit["rate"] * length for length in config.walk]))

    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"], on_step=look)
    values: dict[str, Any] = {"accuracy": accuracy(model, data.x_test, data.y_test), **outcome(losses)}
    for name in walks[0]:
        along = np.array([each[name] for each in walks])
        values |= {name: float(np.mean(along)), f"{name}_curve": along}
    return values


def walk(model: nn.Module, data: Tensors, index: Array, lengths: list[float]) -> dict[str, float]:
    """Go along the negative gradient, look, and come back."""
    x, y = data.x_train[torch.from_numpy(index)], data.y_train[torch.from_numpy(index)]
    parameters = list(model.parameters())
    kept = {name: value.clone() for name, value in model.state_dict().items()}

    def here() -> tuple[float, torch.Tensor]:
        loss = cross_entropy(model(x), y)
        gradient = torch.cat([part.flatten() for part in torch.autograd.grad(loss, parameters)])
        return loss.item(), gradient

    start, first = here()
    losses, changes, smoothness, gone = [start], [], [], 0.0
    direction = torch.split(first, [p.numel() for p in parameters])
    size = torch.cat([p.detach().flatten() for p in parameters]).norm().item()
    for length in lengths:
        with torch.no_grad():
            for parameter, part in zip(parameters, direction, strict=True):
                parameter.sub_(part.view_as(parameter), alpha=length - gone)
        gone = length
        loss, gradient = here()
        losses.append(loss)
        changes.append((gradient - first).norm().item())
        smoothness.append(changes[-1] / (length * first.norm().item()))
    model.load_state_dict(kept)
    return {
        "loss_spread": max(losses) - min(losses),
        "loss_rise": max(losses) - start,
        "gradient_change": max(changes),
        "relative_gradient_change": max(changes) / first.norm().item(),
        "beta": max(smoothness),
        "relative_beta": max(smoothness) * size**2,
    }
