"""Gamma and beta: another rate, another start, or none of them at all.

They are learned like the weights, by gradient descent. Three ablations on one network: their learning rate as a
multiple of the weights' (0 leaves them at 1 and 0), the value that gamma starts from, and which of the two is
learned.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bncourse.experiments.networks import mlp, normalizations
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, outcome, tensors, train

QUESTION = "How should gamma and beta start, and do they need a learning rate of their own?"


@dataclass(frozen=True, kw_only=True)
class AffineParametersConfig(Config):
    """One ablation at a time; the others at their usual value."""

    activations: tuple[str, ...] = ("relu", "sigmoid")
    factors: tuple[float, ...] = (0.0, 0.1, 1.0, 10.0)
    starts: tuple[float, ...] = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
    learned: tuple[str, ...] = ("neither", "gamma", "beta", "both")
    hidden: tuple[int, ...] = (100, 100, 100)
    steps: int = 2000
    batch_size: int = 60
    rate: float = 0.3


FULL = AffineParametersConfig(data="mnist")
QUICK = AffineParametersConfig(
    seeds=(0, 1, 2), activations=("sigmoid",), factors=(0.0, 1.0), starts=(0.01, 1.0), learned=("both",), steps=300
)


def units(config: AffineParametersConfig, finished: Finished) -> list[Unit]:
    """Plan the three ablations."""
    activations = config.activations
    return (
        grid(config.seeds, ablation=["rate"], activation=activations, factor=config.factors)
        + grid(config.seeds, ablation=["start"], activation=activations, gamma=config.starts)
        + grid(config.seeds, ablation=["learned"], activation=activations, learned=config.learned)
    )


def measure(config: AffineParametersConfig, unit: Unit) -> dict[str, Any]:
    """Train once under the ablation."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm="batch", activation=unit["activation"]).to(config.device)
    condition = dict(unit.condition)
    learned = condition.get("learned", "both")
    for layer in normalizations(model):
        nn.init.constant_(layer.weight, float(condition.get("gamma", 1.0)))
        layer.weight.requires_grad_(learned in ("gamma", "both"))
        layer.bias.requires_grad_(learned in ("beta", "both"))
    affine = [parameter for layer in normalizations(model) for parameter in (layer.weight, layer.bias)]
    others = [p for p in model.parameters() if all(p is not parameter for parameter in affine)]
    rate = float(condition.get("factor", 1.0)) * config.rate
    groups: list[dict[str, Any]] = [{"params": others}, {"params": affine, "lr": rate}]
    optimizer = torch.optim.SGD(groups, lr=config.rate)
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=config.rate, optimizer=optimizer)
    last = normalizations(model)[-1]
    return {
        "accuracy": accuracy(model, data.x_test, data.y_test),
        "gamma_mean": last.weight.detach().mean().item(),
        "gamma_std": last.weight.detach().std().item(),
        "beta_mean": last.bias.detach().mean().item(),
        "beta_std": last.bias.detach().std().item(),
        **outcome(losses),
    }
