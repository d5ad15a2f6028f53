"""Small batches: what they do to batch normalization and to its relatives (section 3.1: m > 1).

Every run sees the same number of examples, at a rate proportional to the batch size, so that only the noise of the
statistics and of the gradient is left to differ. `accuracy` is read with the moving averages, `population` with
statistics recomputed over the training set: the difference is what the moving averages of tiny batches cost.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from bncourse.experiments.networks import linear_layers, mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, accuracy, batches, tensors, train, use_population_statistics

QUESTION = "How small may a batch be, for batch normalization and for its relatives?"


@dataclass(frozen=True, kw_only=True)
class BatchSizeConfig(Config):
    """Two hidden layers; the rate is `rate_per_example` times the batch size."""

    batch_sizes: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256)
    norms: tuple[str, ...] = ("none", "batch", "layer", "group")
    examples: int = 60_000
    hidden: tuple[int, ...] = (100, 100)
    rate_per_example: float = 0.002


FULL = BatchSizeConfig(data="mnist")
QUICK = BatchSizeConfig(seeds=(0, 1, 2), batch_sizes=(2, 8, 64), examples=2800)


def units(config: BatchSizeConfig, finished: Finished) -> list[Unit]:
    """Plan every normalization at every batch size."""
    return grid(config.seeds, norm=config.norms, batch_size=config.batch_sizes)


def measure(config: BatchSizeConfig, unit: Unit) -> dict[str, Any]:
    """Train once and read the accuracy with both kinds of statistics."""
    data = tensors(config.data, device=config.device)
    size = unit["batch_size"]
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm=unit["norm"]).to(config.device)
    reaching = _first_gradient(model, data, size, unit.seed)
    losses = train(
        model,
        data,
        batches(len(data.x_train), size, unit.seed),
        steps=config.examples // size,
        rate=config.rate_per_example * size,
    )
    values = {
        "accuracy": accuracy(model, data.x_test, data.y_test),
        "first_gradient": float(np.median(reaching)),
        "first_gradient_mean": float(np.mean(reaching)),
        "loss": float(np.mean(losses[-max(1, len(losses) // 10) :])),
    }
    use_population_statistics(model, data.x_train)
    return values | {"population": accuracy(model, data.x_test, data.y_test)}


def _first_gradient(model: torch.nn.Module, data: Tensors, size: int, seed: int) -> list[float]:
    """Size of the gradient that reaches the first layer, relative to the last layer's: 20 batches before training."""
    first, *_, last = linear_layers(model)
    ratios, order = [], batches(len(data.x_train), size, seed + 1)
    for _ in range(20):
        index = torch.from_numpy(next(order))
        loss = cross_entropy(model(data.x_train[index]), data.y_train[index])
        gradients = torch.autograd.grad(loss, [first.weight, last.weight])
        ratios.append(float(gradients[0].norm() / gradients[1].norm()))
    return ratios
