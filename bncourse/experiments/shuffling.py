"""Shuffling: the same batch-mates in every epoch, or new ones (section 4.2.1: about 1 % better).

With batch normalization an example's output depends on its batch-mates. If these are always the same, the network can
rely on them; if they change, every epoch shows the example a little differently. Three orders are compared: the
batches fixed once and in the same order; the same batches in a new order each epoch; and all reshuffled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bncourse.experiments.networks import mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, accuracy, batches, outcome, tensors, train

QUESTION = "Does it matter that an example meets other batch-mates in every epoch?"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class ShufflingConfig(Config):
    """A small training set seen many times, where an example could become used to its company."""

    norms: tuple[str, ...] = ("none", "batch")
    orders: tuple[str, ...] = ("fixed", "fixed batches, new order", "reshuffled")
    batch_sizes: tuple[int, ...] = (8, 50)
    hidden: tuple[int, ...] = (100, 100)
    train: int = 2000
    epochs: int = 30
    rate_per_example: float = 0.002


FULL = ShufflingConfig(data="mnist", seeds=tuple(range(12)))
QUICK = ShufflingConfig(
    seeds=(0, 1, 2, 3), orders=("fixed", "reshuffled"), batch_sizes=(8,), train=400, epochs=12, hidden=(50, 50)
)


def units(config: ShufflingConfig, finished: Finished) -> list[Unit]:
    """Plan every order, with and without batch normalization."""
    return grid(config.seeds, norm=config.norms, order=config.orders, batch_size=config.batch_sizes)


def measure(config: ShufflingConfig, unit: Unit) -> dict[str, Any]:
    """Train on batches in that order."""
    everything = tensors(config.data, device=config.device)
    count, size = config.train, unit["batch_size"]
    data = Tensors(everything.x_train[:count], everything.y_train[:count], everything.x_test, everything.y_test)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm=unit["norm"]).to(config.device)
    if unit["order"] == "reshuffled":
        order = batches(count, size, unit.seed)
    else:
        order = again(count, size, unit.seed, reorder=unit["order"] == "fixed batches, new order")
    losses = train(model, data, order, steps=config.epochs * (count // size), rate=config.rate_per_example * size)
    return {"accuracy": accuracy(model, data.x_test, data.y_test), **outcome(losses)}


def again(count: int, size: int, seed: int, *, reorder: bool) -> Iterator[Array]:
    """The first epoch's batches, epoch after epoch."""
    first = batches(count, size, seed)
    fixed = [next(first) for _ in range(count // size)]
    rng = np.random.default_rng([seed, 62])
    while True:
        for position in rng.permutation(len(fixed)) if reorder else range(len(fixed)):
            yield fixed[position]
