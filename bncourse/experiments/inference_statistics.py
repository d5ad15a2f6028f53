"""The statistics used at inference: which of them, and how good they are (Algorithm 2 of the paper).

One trained network is read in four ways: with the moving averages of training; with Algorithm 2, the mean over
training batches of their means and of their unbiased variances, the weights at rest; with the exact moments of the
whole training set ("precise" batch norm); and with the statistics of the test batches themselves. The second part
measures why the paper corrects by m/(m-1): the mean biased variance of batches of m falls short of the population's
by the factor (m-1)/m.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bncourse.experiments.networks import linear_layers, mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, accuracy, batches, tensors, train, use_population_statistics
from bncourse.torch_bn.recompute import recompute_statistics

QUESTION = "Which statistics should be used at inference, and why m/(m-1)?"


@dataclass(frozen=True, kw_only=True)
class InferenceStatisticsConfig(Config):
    """A rate at which the weights, and so the statistics, still move when training ends."""

    batch_sizes: tuple[int, ...] = (4, 16, 64)
    momenta: tuple[float, ...] = (0.01, 0.1, 0.5)
    """Weights of the new value in the moving averages."""
    hidden: tuple[int, ...] = (100, 100)
    steps: int = 3000
    rate: float = 0.3
    bias_sizes: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256)
    bias_batches: int = 2000


FULL = InferenceStatisticsConfig(data="mnist")
QUICK = InferenceStatisticsConfig(
    seeds=(0, 1, 2), batch_sizes=(4, 16), momenta=(0.1,), steps=300, bias_sizes=(2, 8, 32), bias_batches=500
)


def units(config: InferenceStatisticsConfig, finished: Finished) -> list[Unit]:
    """Plan the trained networks, and the bias of the batch variance."""
    return grid(config.seeds, part=["trained"], batch_size=config.batch_sizes, momentum=config.momenta) + grid(
        config.seeds, part=["bias"], batch_size=config.bias_sizes
    )


def measure(config: InferenceStatisticsConfig, unit: Unit) -> dict[str, Any]:
    """Train one network and read it in four ways, or measure the bias."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    size = unit["batch_size"]
    inputs = data.x_train[0].numel()
    if unit["part"] == "bias":
        model = mlp(inputs, config.hidden, norm="batch").to(config.device)
        return _bias(model, data, batches(len(data.x_train), size, unit.seed), config.bias_batches)
    model = mlp(inputs, config.hidden, norm=lambda features: nn.BatchNorm1d(features, momentum=unit["momentum"]))
    model.to(config.device)
    train(model, data, batches(len(data.x_train), size, unit.seed), steps=config.steps, rate=config.rate)
    values = _read(model, data, "moving")
    values["batch_accuracy"] = accuracy(model, data.x_test, data.y_test, batch_statistics=True)
    shuffled = data.x_train[torch.from_numpy(np.random.default_rng(unit.seed).permutation(len(data.x_train)))]
    use_population_statistics(model, shuffled, batch_size=size)
    values |= _read(model, data, "algorithm_2")
    recompute_statistics(model, torch.split(shuffled, 1000), layerwise=True)
    return values | _read(model, data, "exact")


@torch.no_grad()
def _read(model: nn.Module, data: Tensors, name: str) -> dict[str, float]:
    """Accuracy and loss on the test set with the statistics that the model holds now."""
    model.eval()
    loss = cross_entropy(model(data.x_test), data.y_test).item()
    return {f"{name}_accuracy": accuracy(model, data.x_test, data.y_test), f"{name}_loss": loss}


@torch.no_grad()
def _bias(model: nn.Module, data: Tensors, order: Any, count: int) -> dict[str, float]:
    """Mean batch variance of the first layer's features, relative to the population's: as it is, and corrected."""
    first = linear_layers(model)[0]
    x = first(data.x_train.flatten(1)).double()
    population = x.var(dim=0, correction=0)
    ratios = [x[torch.from_numpy(next(order))].var(dim=0, correction=0) / population for _ in range(count)]
    ratio = float(torch.stack(ratios).mean())
    size = len(next(order))
    return {"biased": ratio, "corrected": ratio * size / (size - 1)}
