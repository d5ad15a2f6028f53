"""Learning rates, from too small to too large, with and without batch normalization (section 3.3).

The paper says that batch normalization allows larger rates. Part `grid` trains the same network at each rate of a
grid; a run whose loss is not finite or ends above that of a guess counts as diverged, one that learns nothing as
failed, and both are shown as such. The grid shows what a rate does; which rate is best is found by `tuning`, on
held-out training pictures, and `reported` is trained at that rate. Part `range` is one short run in which the rate
grows at every step, which finds the usable rates at a hundredth of the cost.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.networks import mlp
from bncourse.experiments.result import Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, outcome, tensors, train
from bncourse.experiments.tuning import TunedConfig, combinations, plan

QUESTION = "Does batch normalization allow larger learning rates, and where is the limit?"


@dataclass(frozen=True, kw_only=True)
class LearningRatesConfig(TunedConfig):
    """Three hidden layers of rectified units, started after He."""

    norms: tuple[str, ...] = ("none", "batch")
    grid_rates: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
    hidden: tuple[int, ...] = (100, 100, 100)
    steps: int = 5000
    batch_size: int = 60
    range_steps: int = 400
    range_limits: tuple[float, float] = (1e-4, 100.0)
    best_seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Of the runs at the best rates, which differ little."""


FULL = LearningRatesConfig(
    best_seeds=tuple(range(10)), data="mnist", rates=(0.1, 0.3, 1.0), tuning_seeds=(1000, 1001, 1002)
)
QUICK = LearningRatesConfig(
    seeds=(0, 1, 2),
    best_seeds=(0, 1, 2),
    rates=(0.1,),
    limits=(0.1, 0.1),
    tuning_seeds=(1000,),
    held_out=200,
    grid_rates=(0.01, 0.1, 1.0, 10.0),
    steps=200,
    range_steps=100,
)


def units(config: LearningRatesConfig, finished: Finished) -> list[Unit]:
    """Plan the grid, a range test for each side, and the search for each side's best rate."""
    planned = grid(config.seeds, part=["grid"], norm=config.norms, rate=config.grid_rates)
    planned += grid(config.seeds, part=["range"], norm=config.norms)
    return planned + plan(replace(config, seeds=config.best_seeds), finished, combinations(norm=config.norms))


def measure(config: LearningRatesConfig, unit: Unit) -> dict[str, Any]:
    """Train at one rate, or once with a rate that grows."""
    part = unit["part"]
    tuned = part in ("tuning", "reported")
    data = pictures(config, part) if tuned else tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm=unit["norm"]).to(config.device)
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    if tuned:
        losses = train(model, data, order, steps=config.steps, rate=unit["rate"])
        return score(model, data, part) | outcome(losses)
    if part == "grid":
        losses = train(model, data, order, steps=config.steps, rate=unit["rate"])
        return {"accuracy": accuracy(model, data.x_test, data.y_test), **outcome(losses)}
    low, high = config.range_limits
    rates = np.geomspace(low, high, config.range_steps)
    losses = train(model, data, order, steps=config.range_steps, rate=1.0, rate_at=lambda step: float(rates[step]))
    every = config.range_steps // 100
    return {"rates": rates[::every], "range_losses": losses[::every]}
