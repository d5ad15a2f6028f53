"""Batch normalization as a regularizer: beside dropout and L2, as noise, and L2 as a learning rate in disguise.

Three questions. `tuning` and `reported` train dropout x L2 x batch norm on a small training set, where regularization
is needed (section 3.4), each combination at its own best learning rate. `disguise` puts L2 on the weights before a
normalization only, on all other parameters only, on all, and on none, at one learning rate: which of them gains what
L2 gains? Beside them stands no L2 at the learning rate that is best for it. `noise` measures how much one example's
normalized value varies with its batch-mates, and with m.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.networks import linear_layers, mlp
from bncourse.experiments.result import Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, outcome, tensors, train
from bncourse.experiments.tuning import TunedConfig, combinations, plan

QUESTION = "Is batch normalization a regularizer, and what do dropout and L2 still add to it?"


@dataclass(frozen=True, kw_only=True)
class RegularizationConfig(TunedConfig):
    """`train` pictures only: few enough to be learned by heart."""

    train: int = 1000
    hidden: tuple[int, ...] = (100, 100)
    steps: int = 1500
    batch_size: int = 50
    norms: tuple[str, ...] = ("none", "batch")
    dropouts: tuple[float, ...] = (0.0, 0.5)
    decays: tuple[float, ...] = (0.0, 0.001, 0.01)
    decayed: tuple[str, ...] = ("nowhere", "everywhere", "before a normalization", "elsewhere")
    disguise_seeds: tuple[int, ...] = tuple(range(10))
    disguise_steps: int = 3000
    """Six times as long as decay and growth need for their balance, which is 1 / (2 * rate * decay) steps."""
    disguise_rate: float = 0.1
    disguise_decay: float = 0.01
    noise_sizes: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256)
    noise_batches: int = 200


FULL = RegularizationConfig(seeds=tuple(range(10)), data="mnist", rates=(0.03, 0.1, 0.3), tuning_seeds=(1000,))
QUICK = RegularizationConfig(
    seeds=(0, 1, 2),
    tuning_seeds=(1000,),
    rates=(0.1,),
    limits=(0.1, 0.1),
    held_out=200,
    train=200,
    hidden=(50, 50),
    steps=150,
    dropouts=(0.0, 0.5),
    decays=(0.0,),
    disguise_seeds=(0, 1, 2),
    disguise_steps=150,
    noise_sizes=(4, 16, 64),
    noise_batches=200,
)


def units(config: RegularizationConfig, finished: Finished) -> list[Unit]:
    """Plan the three parts."""
    planned = grid(config.seeds, part=["noise"], batch_size=config.noise_sizes)
    planned += grid(config.disguise_seeds, part=["disguise"], decayed=config.decayed)
    planned += plan(config, finished, combinations(norm=config.norms, dropout=config.dropouts, decay=config.decays))
    return planned + plan(replace(config, seeds=config.disguise_seeds), finished, [{"decayed": "nowhere"}])


def measure(config: RegularizationConfig, unit: Unit) -> dict[str, Any]:
    """Do one unit of whichever part."""
    torch.manual_seed(unit.seed)
    part = unit["part"]
    if part == "noise":
        everything = tensors(config.data, device=config.device).x_train.flatten(1)
        x = linear_layers(mlp(everything.shape[1], config.hidden))[0](everything).detach()
        return {"noise": _noise(x, unit["batch_size"], config.noise_batches, unit.seed)}
    data = pictures(config, part, train=config.train)
    inputs, order = data.x_train[0].numel(), batches(config.train, config.batch_size, unit.seed)
    if "decayed" in dict(unit.condition):
        rate = config.disguise_rate if part == "disguise" else unit["rate"]
        model = mlp(inputs, config.hidden, norm="batch").to(config.device)
        optimizer = decaying(model, unit["decayed"], rate, config.disguise_decay)
        losses = train(model, data, order, steps=config.disguise_steps, rate=rate, optimizer=optimizer)
    else:
        model = _with_dropout(mlp(inputs, config.hidden, norm=unit["norm"]), unit["dropout"]).to(config.device)
        losses = train(model, data, order, steps=config.steps, rate=unit["rate"], weight_decay=unit["decay"])
    seen = accuracy(model, data.x_train, data.y_train)
    return score(model, data, part) | {"train_accuracy": seen, **outcome(losses)}


def decaying(model: nn.Module, where: str, rate: float, decay: float) -> torch.optim.Optimizer:
    """Return gradient descent with L2 on the weights before a normalization, on all the others, on both or on none."""
    before = [layer.weight for layer in linear_layers(model)[:-1]]
    elsewhere = [p for p in model.parameters() if all(p is not weight for weight in before)]
    groups: list[dict[str, Any]] = [
        {"params": before, "weight_decay": decay * (where in ("everywhere", "before a normalization"))},
        {"params": elsewhere, "weight_decay": decay * (where in ("everywhere", "elsewhere"))},
    ]
    return torch.optim.SGD(groups, lr=rate)


def _with_dropout(model: nn.Sequential, share: float) -> nn.Sequential:
    """Put dropout behind every nonlinearity."""
    layers = [[layer, nn.Dropout(share)] if isinstance(layer, nn.ReLU) else [layer] for layer in model]
    return nn.Sequential(*(layer for pair in layers for layer in pair))


def _noise(x: torch.Tensor, size: int, count: int, seed: int) -> float:
    """Spread of an example's normalized value over random batch-mates: rms over features and 20 examples."""
    rng = np.random.default_rng([seed, 63])
    variances = []
    for example in range(20):
        mates = torch.from_numpy(rng.integers(20, len(x), (count, size - 1)))
        batch = torch.cat([x[example].expand(count, 1, -1), x[mates]], dim=1)  # (count, size, features)
        x_hat = (batch[:, 0] - batch.mean(1)) / torch.sqrt(batch.var(1, correction=0) + 1e-5)
        variances.append(x_hat.var(0))
    return float(torch.stack(variances).mean().sqrt())
