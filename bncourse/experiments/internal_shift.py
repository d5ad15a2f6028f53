"""Internal covariate shift, measured; and whether it matters.

The paper defines it by distributions (section 2): a layer's inputs change because the layers below are trained.
Santurkar et al. (2018) measure what the layer feels: its gradient before the layers below make their step, and after
it, on the same batch. The change of gradient, relative to its size, is the shift. As a control, noise with a random
mean and scale, new at every step and for every feature, is put behind each normalization: it shifts distributions on
purpose. If batch norm works by reducing the shift, the noisy network should train badly.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cosine_similarity, cross_entropy

from bncourse.experiments.networks import linear_layers, mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Array, Tensors, accuracy, batches, outcome, tensors, train

QUESTION = "Does batch normalization reduce internal covariate shift, and is that why it helps?"


@dataclass(frozen=True, kw_only=True)
class InternalShiftConfig(Config):
    """The shift is looked at every `every` steps, in the last hidden layer and in all hidden ones on average."""

    norms: tuple[str, ...] = ("none", "batch", "noisy batch")
    activation: str = "sigmoid"
    hidden: tuple[int, ...] = (100, 100, 100)
    rates: tuple[float, ...] = (0.1, 1.0)
    steps: int = 5000
    every: int = 100
    batch_size: int = 60
    noise: float = 0.5
    """Standard deviation of the random mean and of the logarithm of the random scale."""


FULL = InternalShiftConfig(data="mnist")
QUICK = InternalShiftConfig(seeds=(0, 1, 2), rates=(1.0,), steps=300, every=20)


class NoisyBatchNorm(nn.BatchNorm1d):
    """Batch normalization whose result is given another mean and scale at every training step, by chance."""

    def __init__(self, features: int, noise: float) -> None:
        super().__init__(features)
        self.noise = noise
        self.generator = torch.Generator().manual_seed(features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalize, then shift and scale at random (the same for the whole batch), in training only."""
        y: torch.Tensor = super().forward(x)
        if not self.training:
            return y
        mean, log_scale = self.noise * torch.randn((2, x.shape[1]), generator=self.generator)
        moved: torch.Tensor = y * torch.exp(log_scale) + mean
        return moved


def units(config: InternalShiftConfig, finished: Finished) -> list[Unit]:
    """Plan every network at every rate."""
    return grid(config.seeds, norm=config.norms, rate=config.rates)


def measure(config: InternalShiftConfig, unit: Unit) -> dict[str, Any]:
    """Train, and now and then take one step apart."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    norm = (lambda n: NoisyBatchNorm(n, config.noise)) if unit["norm"] == "noisy batch" else unit["norm"]
    model = mlp(data.x_train[0].numel(), config.hidden, norm=norm, activation=config.activation).to(config.device)
    probes = batches(len(data.x_train), config.batch_size, unit.seed + 500)
    shifts: list[Array] = []
    cosines: list[Array] = []

    def look(step: int, loss: float) -> None:
        if step % config.every == 0:
            change, cosine = gradient_shift(model, data, next(probes), unit["rate"])
            shifts.append(change)
            cosines.append(cosine)

    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"], on_step=look)
    return {
        "accuracy": accuracy(model, data.x_test, data.y_test),
        "shift": float(np.mean([change[-1] for change in shifts])),
        "shift_all_layers": float(np.mean(shifts)),
        "cosine": float(np.mean([cosine[-1] for cosine in cosines])),
        "shifts": np.array([change[-1] for change in shifts]),
        "mean_loss": float(np.mean(losses)),
        **outcome(losses),
    }


def gradient_shift(model: nn.Module, data: Tensors, index: Array, rate: float) -> tuple[Array, Array]:
    """Compare each hidden layer's gradient before and after the layers below it have made their step.

    Returns
    -------
    change : array of shape (layers,)
        Norm of the difference, relative to the gradient before; from the second hidden layer on.
    cosine : array of shape (layers,)
        Of the angle between the two.
    """
    x, y = data.x_train[torch.from_numpy(index)], data.y_train[torch.from_numpy(index)]
    weights = [layer.weight for layer in linear_layers(model)]
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    before = torch.autograd.grad(cross_entropy(model(x), y), weights)
    changes, cosines = [], []
    for position in range(1, len(weights) - 1):
        with torch.no_grad():  # the layers below make their step, this one and those above wait
            weights[position - 1] -= rate * before[position - 1]
        (after,) = torch.autograd.grad(cross_entropy(model(x), y), [weights[position]])
        changes.append(float((after - before[position]).norm() / before[position].norm()))
        cosines.append(float(cosine_similarity(after.flatten(), before[position].flatten(), dim=0)))
    model.load_state_dict(kept)
    return np.array(changes), np.array(cosines)
