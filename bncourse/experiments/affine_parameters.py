"""Gamma and beta: another rate, another start, or none of them at all.

They are learned like the weights, by gradient descent. Three ablations on one network: their learning rate as a
multiple of the weights' (0 leaves them at 1 and 0), the value that gamma starts from, and which of the two is
learned. Every arm has its own best learning rate for the weights.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bncourse.experiments.affine_arms import arm
from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.networks import mlp, normalizations
from bncourse.experiments.result import Label, Unit
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import batches, outcome, train
from bncourse.experiments.tuning import TunedConfig, plan

QUESTION = "How should gamma and beta start, and do they need a learning rate of their own?"


@dataclass(frozen=True, kw_only=True)
class AffineParametersConfig(TunedConfig):
    """One ablation at a time; the others at their usual value."""

    activations: tuple[str, ...] = ("relu", "sigmoid")
    factors: tuple[float, ...] = (0.0, 1.0, 10.0)
    starts: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0)
    learned: tuple[str, ...] = ("neither", "gamma", "beta", "both")
    hidden: tuple[int, ...] = (100, 100, 100)
    steps: int = 800
    batch_size: int = 60


FULL = AffineParametersConfig(data="mnist", rates=(0.1, 0.3, 1.0), tuning_seeds=(1000,))
QUICK = AffineParametersConfig(
    seeds=(0, 1, 2),
    rates=(0.3,),
    limits=(0.3, 0.3),
    tuning_seeds=(1000,),
    held_out=200,
    activations=("sigmoid",),
    factors=(0.0, 1.0),
    starts=(0.01, 1.0),
    learned=("both",),
    steps=150,
)


def units(config: AffineParametersConfig, finished: Finished) -> list[Unit]:
    """Plan the three ablations; what is the usual value in each of them is one arm."""
    arms: list[dict[str, Label]] = []
    for activation in config.activations:
        found = [arm(activation, factor=factor) for factor in config.factors if factor]
        found += [arm(activation, gamma=start) for start in config.starts]
        found += [arm(activation, learned=learned) for learned in config.learned]
        found += [arm(activation, factor=0.0)] if 0.0 in config.factors else []
        arms += [each for position, each in enumerate(found) if each not in found[:position]]
    return plan(config, finished, arms)


def measure(config: AffineParametersConfig, unit: Unit) -> dict[str, Any]:
    """Train once under the ablation."""
    data = pictures(config, unit["part"])
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm="batch", activation=unit["activation"]).to(config.device)
    for layer in normalizations(model):
        nn.init.constant_(layer.weight, unit["gamma"])
        layer.weight.requires_grad_(unit["learned"] in ("gamma", "both"))
        layer.bias.requires_grad_(unit["learned"] in ("beta", "both"))
    affine = [parameter for layer in normalizations(model) for parameter in (layer.weight, layer.bias)]
    others = [p for p in model.parameters() if all(p is not parameter for parameter in affine)]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": affine, "lr": unit["factor"] * unit["rate"]}]
    optimizer = torch.optim.SGD(groups, lr=unit["rate"])
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"], optimizer=optimizer)
    last = normalizations(model)[-1]
    return score(model, data, unit["part"]) | {
        "gamma_mean": last.weight.detach().mean().item(),
        "gamma_std": last.weight.detach().std().item(),
        "beta_mean": last.bias.detach().mean().item(),
        "beta_std": last.bias.detach().std().item(),
        **outcome(losses),
    }
