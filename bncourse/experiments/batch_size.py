"""Small batches: what they do to batch normalization and to its relatives (section 3.1: m > 1).

Every run sees the same number of examples, at a rate proportional to the batch size, so that only the noise of the
statistics and of the gradient is left to differ. `accuracy` is read with the moving averages, `population` with
statistics recomputed over the training set: the difference is what the moving averages of tiny batches cost. Ghost
batch norm keeps the largest batch for the gradient and takes its statistics from `batch_size` samples at a time.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bncourse.experiments.networks import linear_layers, mlp, normalization
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, accuracy, batches, tensors, train, use_population_statistics
from bncourse.torch_bn.beyond import BatchRenorm, GhostBatchNorm

QUESTION = "How small may a batch be, for batch normalization and for its relatives?"


@dataclass(frozen=True, kw_only=True)
class BatchSizeConfig(Config):
    """Two hidden layers; the rate is `rate_per_example` times the batch size."""

    batch_sizes: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256)
    norms: tuple[str, ...] = ("none", "batch", "ghost", "renorm", "layer", "group")
    examples: int = 15_000
    hidden: tuple[int, ...] = (100, 100)
    rate_per_example: float = 0.002


FULL = BatchSizeConfig(data="mnist")
QUICK = BatchSizeConfig(
    seeds=(0, 1, 2), batch_sizes=(2, 64), norms=("none", "batch", "ghost", "renorm", "group"), examples=2800
)


def units(config: BatchSizeConfig, finished: Finished) -> list[Unit]:
    """Plan every normalization at every batch size."""
    return grid(config.seeds, norm=config.norms, batch_size=config.batch_sizes)


def measure(config: BatchSizeConfig, unit: Unit) -> dict[str, Any]:
    """Train once and read the accuracy with both kinds of statistics."""
    data = tensors(config.data, device=config.device)
    size = max(config.batch_sizes) if unit["norm"] == "ghost" else unit["batch_size"]
    steps = config.examples // size
    torch.manual_seed(unit.seed)

    def layer(features: int) -> nn.Module:
        if unit["norm"] == "ghost":
            return GhostBatchNorm(features, unit["batch_size"])
        if unit["norm"] == "renorm":
            # an average over the last 640 examples or so, since the limits lean on it
            return BatchRenorm(features, momentum=min(0.1, size / 640))
        return normalization(unit["norm"], features)

    model = mlp(data.x_train[0].numel(), config.hidden, norm=layer).to(config.device)
    reaching = _first_gradient(model, data, size, unit.seed)
    losses = train(
        model,
        data,
        batches(len(data.x_train), size, unit.seed),
        steps=steps,
        rate=config.rate_per_example * size,
        on_step=lambda step, loss: _open_limits(model, step / steps),
    )
    values = {
        "accuracy": accuracy(model, data.x_test, data.y_test),
        "first_gradient": float(np.median(reaching)),
        "first_gradient_mean": float(np.mean(reaching)),
        "loss": float(np.mean(losses[-max(1, len(losses) // 10) :])),
    }
    use_population_statistics(model, data.x_train)
    return values | {"population": accuracy(model, data.x_test, data.y_test)}


def _open_limits(model: nn.Module, share: float) -> None:
    """Let batch renormalization begin as batch norm; its limits reach 3 and 5 after half of the training."""
    opened = min(1.0, max(0.0, (share - 0.1) / 0.4))
    for layer in model.modules():
        if isinstance(layer, BatchRenorm):
            layer.r_max, layer.d_max = 1.0 + 2.0 * opened, 5.0 * opened


def _first_gradient(model: nn.Module, data: Tensors, size: int, seed: int) -> list[float]:
    """Size of the gradient that reaches the first layer, relative to the last layer's: 20 batches before training."""
    first, *_, last = linear_layers(model)
    ratios, order = [], batches(len(data.x_train), size, seed + 1)
    for _ in range(20):
        index = torch.from_numpy(next(order))
        loss = cross_entropy(model(data.x_train[index]), data.y_train[index])
        gradients = torch.autograd.grad(loss, [first.weight, last.weight])
        ratios.append(float(gradients[0].norm() / gradients[1].norm()))
    return ratios
