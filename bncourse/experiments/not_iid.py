"""Batches that are not a fair sample: sorted by class (section 3.1 supposes that they are fair).

In a batch of one class the statistics are those of the class. What tells the classes apart is then normalized
away in training, and at inference, where the moving averages mix all classes, the network sees inputs that it never
trained on. `accuracy` is read with the moving averages; `batch_accuracy` with the statistics of fair test batches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bncourse.experiments.networks import mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, outcome, tensors, train

QUESTION = "What happens when the examples of a batch are alike: sorted by class?"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class NotIidConfig(Config):
    """`classes` is the number of classes in a batch; 10 is a fair batch."""

    norms: tuple[str, ...] = ("none", "batch", "group", "layer")
    classes: tuple[int, ...] = (1, 2, 5, 10)
    hidden: tuple[int, ...] = (100, 100)
    steps: int = 3000
    batch_size: int = 50
    rate: float = 0.05


FULL = NotIidConfig(data="mnist")
QUICK = NotIidConfig(seeds=(0, 1, 2), norms=("none", "batch", "group"), classes=(1, 10), steps=300)


def units(config: NotIidConfig, finished: Finished) -> list[Unit]:
    """Plan every normalization with every kind of batch."""
    return grid(config.seeds, norm=config.norms, classes=config.classes)


def measure(config: NotIidConfig, unit: Unit) -> dict[str, Any]:
    """Train on such batches, test on a fair set."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm=unit["norm"]).to(config.device)
    labels = data.y_train.cpu().numpy()
    if unit["classes"] == 10:
        order = batches(len(labels), config.batch_size, unit.seed)
    else:
        order = alike(labels, unit["classes"], config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=config.rate)
    return {
        "accuracy": accuracy(model, data.x_test, data.y_test),
        "batch_accuracy": accuracy(model, data.x_test, data.y_test, batch_statistics=True),
        **outcome(losses),
    }


def alike(labels: Array, classes: int, batch_size: int, seed: int) -> Iterator[Array]:
    """Batches without end, each drawn from a few classes; over time every class is as frequent as any other."""
    rng = np.random.default_rng([seed, 61])
    members = [np.flatnonzero(labels == label) for label in range(10)]
    while True:
        turn = rng.permutation(10)
        for chosen in turn[: 10 - 10 % classes].reshape(-1, classes):
            yield rng.choice(np.concatenate([members[label] for label in chosen]), batch_size, replace=False)
