"""The paper's Figure 3 in miniature, and batch normalization's share of "14 times fewer steps".

An Inception-style network on digits. The rows are those of the published table: the baseline; the baseline with batch
normalization and nothing else; and batch normalization with all seven changes of section 4.2.1, at five and thirty
times the rate, and with sigmoids. Then the five-fold one with each change undone, which says what the change
contributes; and an ensemble of six. The baseline's rate is tuned first; the other rates are multiples of it, as in
the paper.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from bncourse.experiments.inception_network import CHANGES, Recipe, network, recipe
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.shuffling import again
from bncourse.experiments.training import Array, Tensors, accuracy, batches, outcome, tensors, train

QUESTION = "How many steps does batch normalization save, and how many do the seven changes beside it?"

ROWS = ("Inception", "BN-Baseline", "BN-x5", "BN-x30", "BN-x5-Sigmoid")

PUBLISHED = {
    "Inception": (31.0, 0.722),
    "BN-Baseline": (13.3, 0.727),
    "BN-x5": (2.1, 0.730),
    "BN-x30": (2.7, 0.748),
    "BN-x5-Sigmoid": (np.nan, 0.698),
}
"""Millions of steps to 72.2 %, and best accuracy, on ImageNet: the table of Figure 3 of the paper."""


@dataclass(frozen=True, kw_only=True)
class InceptionConfig(Config):
    """The batch size is the paper's, which names no momentum; the network, the data and the steps are small."""

    seeds: tuple[int, ...] = (0, 1, 2)
    variants: tuple[str, ...] = (*ROWS, *(f"without {change}" for change in CHANGES))
    rates: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1)
    tuning_seed: int = 1000
    width: int = 16
    steps: int = 1000
    batch_size: int = 32
    momentum: float = 0.9
    every: int = 50
    train: int = 20_000
    held_out: int = 5000
    """Training pictures beyond the first `train`, by which the rate is tuned."""
    test: int = 5000
    members: int = 6
    """Of the ensemble; 0 leaves it out."""


FULL = InceptionConfig(data="mnist")
QUICK = InceptionConfig(
    variants=("Inception", "BN-Baseline", "BN-x5"),
    rates=(0.03,),
    seeds=(0, 1, 2, 3, 4),
    width=8,
    steps=80,
    every=20,
    train=1200,
    held_out=200,
    test=300,
    members=0,
)


def units(config: InceptionConfig, finished: Finished) -> list[Unit]:
    """Plan the tuning of the baseline, and once it is finished the table at multiples of its rate."""
    tuning = [Unit.of(config.tuning_seed, part="tuning", variant="Inception", rate=rate) for rate in config.rates]
    if not all(unit in finished for unit in tuning):
        return tuning
    rate = tuned_rate(finished)
    planned = tuning + grid(config.seeds, part=["table"], variant=config.variants, rate=[rate])
    if config.members:
        planned += grid(config.seeds, part=["ensemble"], variant=["BN-x30"], rate=[rate])
    return planned


def tuned_rate(finished: Mapping[Unit, Mapping[str, Any]]) -> float:
    """Return the baseline's rate with the best accuracy on the held-out pictures."""
    tuning = {unit["rate"]: values["final_accuracy"] for unit, values in finished.items() if unit["part"] == "tuning"}
    return float(max(tuning, key=lambda rate: tuning[rate]))


def measure(config: InceptionConfig, unit: Unit) -> dict[str, Any]:
    """Train one network, or the members of an ensemble."""
    everything = tensors(config.data, device=config.device)
    x, y, cut = everything.x_train, everything.y_train, config.train
    data = Tensors(x[:cut], y[:cut], everything.x_test[: config.test], everything.y_test[: config.test])
    if unit["part"] == "tuning":
        held_out = slice(cut, cut + config.held_out)
        data = data._replace(x_test=x[held_out], y_test=y[held_out])
    how = recipe(unit["variant"])
    if unit["part"] == "ensemble":
        return _ensemble(config, how, data, unit)
    torch.manual_seed(unit.seed)
    return fit(config, how, data, unit.seed, unit["rate"])[1]


def fit(
    config: InceptionConfig, how: Recipe, data: Tensors, seed: int, rate: float
) -> tuple[nn.Module, dict[str, Any]]:
    """Train one network by its recipe, reading the test accuracy now and then."""
    model = network(how, config.width, data.x_train.shape[-1]).to(config.device)
    count, size = len(data.x_train), config.batch_size
    order: Iterator[Array] = batches(count, size, seed) if how.reshuffle else again(count, size, seed, reorder=False)
    generator = torch.Generator().manual_seed(seed)
    looks, accuracies = [], []

    def look(step: int, loss: float) -> None:
        if step % config.every == 0:
            looks.append(step)
            accuracies.append(accuracy(model, data.x_test, data.y_test))

    losses = train(
        Distorted(model, how.distortion, generator),
        data,
        order,
        steps=config.steps,
        rate=rate * how.rate_factor,
        momentum=config.momentum,
        weight_decay=how.weight_decay,
        rate_at=lambda step: float(0.5 ** (how.halvings * step / config.steps)),
        on_step=look,
    )
    found = accuracies or [0.0]
    return model, {
        "steps": looks,
        "accuracies": np.array(found),
        "final_accuracy": found[-1],
        "best_accuracy": max(found),
        **outcome(losses),
    }


class Distorted(nn.Module):
    """A model that sees each training picture with another contrast and brightness."""

    def __init__(self, model: nn.Module, strength: float, generator: torch.Generator) -> None:
        super().__init__()
        self.model, self.strength, self.generator = model, strength, generator

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Distort in training, then apply the model."""
        if self.training:
            contrast, brightness = self.strength * (2 * torch.rand((2, len(x), 1, 1, 1), generator=self.generator) - 1)
            x = (1 + contrast.to(x.device)) * x + brightness.to(x.device)
        y: torch.Tensor = self.model(x)
        return y


@torch.no_grad()
def probabilities(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the softmax in inference mode."""
    model.eval()
    return torch.cat([model(part).softmax(dim=1) for part in torch.split(x, 2000)])


def _ensemble(config: InceptionConfig, how: Recipe, data: Tensors, unit: Unit) -> dict[str, Any]:
    """Train the members from different starts on different batches, and average their probabilities."""
    together, alone = torch.zeros(()), []
    for member in range(config.members):
        seed = 100 + config.members * unit.seed + member
        torch.manual_seed(seed)
        model, values = fit(config, how, data, seed, unit["rate"])
        together = together + probabilities(model, data.x_test)
        alone.append(values["final_accuracy"])
    right = (together.argmax(1) == data.y_test).double().mean().item()
    return {"ensemble_accuracy": right, "member_accuracy": float(np.mean(alone))}
