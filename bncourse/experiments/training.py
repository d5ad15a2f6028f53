"""The one training loop of the experiments, and how its outcome is read.

Plain stochastic gradient descent. The seed fixes the start and the order of the batches, so that two conditions
with the same seed differ in nothing but the condition.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bncourse.experiments import data as data_sets
from bncourse.experiments.networks import normalizations

Array = np.ndarray[Any, Any]


class Tensors(NamedTuple):
    """A data set on a device."""

    x_train: torch.Tensor
    y_train: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor


def tensors(name: str, *, device: str = "cpu", train: int | None = None, test: int | None = None) -> Tensors:
    """Load a data set, or its first `train` and `test` pictures, as tensors that all callers share."""
    x_train, y_train, x_test, y_test = _whole(name, device)
    return Tensors(x_train[:train], y_train[:train], x_test[:test], y_test[:test])


@lru_cache(maxsize=2)
def _whole(name: str, device: str) -> Tensors:
    return Tensors(*(torch.tensor(array, device=device) for array in data_sets.load(name)[:4]))


def batches(count: int, batch_size: int, seed: int) -> Iterator[Array]:
    """Indices of mini-batches without end: reshuffled for each epoch, what does not fill a batch left out.

    >>> first = batches(5, 2, seed=0)
    >>> len(set(next(first).tolist() + next(first).tolist()))
    4
    """
    rng = np.random.default_rng([seed, 60])
    while True:
        order = rng.permutation(count)
        yield from order[: count - count % batch_size].reshape(-1, batch_size)


def train(
    model: nn.Module,
    data: Tensors,
    order: Iterator[Array],
    *,
    steps: int,
    rate: float,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    rate_at: Callable[[int], float] | None = None,
    on_step: Callable[[int, float], None] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
) -> Array:
    """Train a model in place.

    Parameters
    ----------
    model : nn.Module
        Left in training mode.
    data : Tensors
        Where the batches are taken from.
    order : iterator of index arrays
        Usually from `batches`.
    steps, rate, momentum, weight_decay : int, float, float, float
        Of stochastic gradient descent.
    rate_at : callable, optional
        Factor on the rate at each step.
    on_step : callable, optional
        Called with the number of steps done and the batch's loss, after each step; it may switch the mode.
    optimizer : Optimizer, optional
        In place of plain gradient descent; `rate` is then its own affair, and `rate_at` still applies.

    Returns
    -------
    array of shape (steps,)
        The batch's loss before each step. After a loss that is not finite training stops, and the rest is NaN.
    """
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, weight_decay=weight_decay)
    started_at = [group["lr"] for group in optimizer.param_groups]
    losses = np.full(steps, np.nan)
    for step in range(steps):
        index = torch.from_numpy(next(order))
        model.train()
        if rate_at is not None:
            for group, start in zip(optimizer.param_groups, started_at, strict=True):
                group["lr"] = start * rate_at(step)
        loss = cross_entropy(model(data.x_train[index]), data.y_train[index])
        value = loss.item()
        if not np.isfinite(value):
            break
        losses[step] = value
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if on_step is not None:
            on_step(step + 1, value)
    model.train()
    return losses


@torch.no_grad()
def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor, *, batch_statistics: bool = False) -> float:
    """Share of right answers, in inference mode, or with the statistics of batches of 100 as they come."""
    training = model.training
    model.train(batch_statistics)
    size = 100 if batch_statistics else 2000
    kept = {name: value.clone() for name, value in model.state_dict().items()} if batch_statistics else None
    right = sum(
        (model(part).argmax(1) == labels).sum().item()
        for part, labels in zip(torch.split(x, size), torch.split(y, size), strict=True)
    )
    if kept is not None:  # looking in training mode must not move the running statistics
        model.load_state_dict(kept)
    model.train(training)
    return float(right) / len(y)


@torch.no_grad()
def use_population_statistics(model: nn.Module, x: torch.Tensor, *, batch_size: int = 1000) -> None:
    """Replace the running statistics by the mean over batches of `x`, the weights at rest (Algorithm 2)."""
    for layer in normalizations(model):
        layer.reset_running_stats()
        layer.momentum = None  # the cumulative mean, and the unbiased variance
    training = model.training
    model.train()
    for part in torch.split(x, batch_size):
        if len(part) == batch_size:
            model(part)
    model.train(training)


def outcome(losses: Array, *, classes: int = 10, points: int = 50) -> dict[str, Any]:
    """Sum up a training's losses: the curve in `points` means, the end of it, and whether it came to nothing.

    The loss of a guess is log(classes). A run has `failed` (1, otherwise 0) if it ended no lower than 95 % of that, and
    `diverged` if it ended above 105 % or its loss was not finite.
    """
    end = float(np.mean(losses[-max(1, len(losses) // 10) :]))
    curve = np.array([part.mean() for part in np.array_split(losses, points)])
    guess = float(np.log(classes))
    return {
        "loss": end,
        "losses": curve,
        "failed": float(not end < 0.95 * guess),
        "diverged": float(not end <= 1.05 * guess),
    }
