"""Where to normalize: before the nonlinearity, as the paper does, behind it, or on both sides (section 3.2).

The paper argues that Wu + b is "more Gaussian" than the output of a nonlinearity, so that fixing two moments fixes
more of the distribution. Measured here: the accuracy of each placement at its own best learning rate, and how Gaussian
the two really are in a trained network: skewness, excess kurtosis, share of zeros, and a histogram of the normalized
values.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.networks import ACTIVATIONS, linear, linear_layers
from bncourse.experiments.result import Unit
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, batches, outcome, train
from bncourse.experiments.tuning import TunedConfig, combinations, plan

QUESTION = "Should batch normalization stand before or after the nonlinearity?"

EDGES = np.linspace(-3.0, 4.0, 57)
"""Of the histograms, in standard deviations from the mean."""


@dataclass(frozen=True, kw_only=True)
class PlacementConfig(TunedConfig):
    """Three hidden layers; nowhere means no normalization."""

    places: tuple[str, ...] = ("nowhere", "before", "after", "both")
    activations: tuple[str, ...] = ("relu", "sigmoid")
    rates: tuple[float, ...] = (0.1, 0.3, 1.0)
    hidden: tuple[int, ...] = (100, 100, 100)
    steps: int = 2000
    batch_size: int = 60


FULL = PlacementConfig(seeds=tuple(range(10)), data="mnist")
QUICK = PlacementConfig(seeds=(0, 1, 2), rates=(0.1,), limits=(0.1, 0.1), tuning_seeds=(1000,), held_out=200, steps=200)


def units(config: PlacementConfig, finished: Finished) -> list[Unit]:
    """Plan every place with every nonlinearity."""
    return plan(config, finished, combinations(place=config.places, activation=config.activations))


def measure(config: PlacementConfig, unit: Unit) -> dict[str, Any]:
    """Train once; in the reported runs, look at the distributions in the last hidden layer."""
    data = pictures(config, unit["part"])
    torch.manual_seed(unit.seed)
    model = network(data.x_train[0].numel(), config.hidden, unit["place"], unit["activation"]).to(config.device)
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"])
    values = score(model, data, unit["part"])
    if unit["part"] == "reported":
        values |= {**outcome(losses), **shapes(model, data)}
    return values


def network(inputs: int, hidden: tuple[int, ...], place: str, activation: str) -> nn.Sequential:
    """Linear layers and nonlinearities, with batch normalization in that place."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width in hidden:
        layers.append(linear(inputs, width))
        layers += [nn.BatchNorm1d(width)] if place in ("before", "both") else []
        layers.append(ACTIVATIONS[activation]())
        layers += [nn.BatchNorm1d(width)] if place in ("after", "both") else []
        inputs = width
    return nn.Sequential(*layers, linear(inputs, 10))


@torch.no_grad()
def shapes(model: nn.Sequential, data: Tensors) -> dict[str, Any]:
    """How the last hidden layer's values are distributed before and behind the nonlinearity: means over units."""
    model.eval()
    last = list(model).index(linear_layers(model)[-2])
    activation = next(i for i in range(last, len(model)) if isinstance(model[i], nn.ReLU | nn.Sigmoid))
    values: dict[str, Any] = {"edges": EDGES}
    for name, x in (("before", model[: last + 1](data.x_test)), ("behind", model[: activation + 1](data.x_test))):
        x = x[:, x.std(0) > 1e-6].double()
        z = (x - x.mean(0)) / x.std(0)
        counts, _ = np.histogram(z.flatten().numpy(), EDGES)
        values[f"{name}_skewness"] = float((z**3).mean(0).abs().mean())
        values[f"{name}_excess"] = float(((z**4).mean(0) - 3).mean())
        values[f"{name}_zeros"] = float((x == 0).double().mean())
        values[f"{name}_histogram"] = counts / z.numel() / np.diff(EDGES)
    model.train()
    return values
