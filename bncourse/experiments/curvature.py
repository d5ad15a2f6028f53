"""Curvature along training: the largest eigenvalue of the Hessian, with and without batch norm, against 2 / rate.

Gradient descent on a parabola diverges where the curvature exceeds 2 / rate. On networks, full-batch gradient descent
drives the largest eigenvalue up until it hovers there (Cohen et al. 2021). Here networks with and without batch norm
are trained at equal learning rates on all digits at once, and the eigenvalue is found by power iteration on
Hessian-vector products. A scale of the weights that normalization takes out lets the same function have any curvature,
so the eigenvalue times the squared length of the weights is stored beside it.
"""

from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bncourse.experiments.networks import mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, accuracy, outcome, tensors, train

QUESTION = "How large is the curvature along training, with and without batch normalization, against 2 / rate?"


@dataclass(frozen=True, kw_only=True)
class CurvatureConfig(Config):
    """Full-batch gradient descent on the first `train` digits."""

    norms: tuple[str, ...] = ("none", "batch")
    activation: str = "relu"
    hidden: tuple[int, ...] = (32, 32, 32)
    rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    steps: int = 400
    looks: int = 8
    iterations: int = 15
    train: int = 500


FULL = CurvatureConfig()
QUICK = CurvatureConfig(seeds=(0, 1, 2), rates=(0.3,), steps=60, looks=3, train=200)


def units(config: CurvatureConfig, finished: Finished) -> list[Unit]:
    """Plan both networks at every rate."""
    return grid(config.seeds, norm=config.norms, rate=config.rates)


def measure(config: CurvatureConfig, unit: Unit) -> dict[str, Any]:
    """Train on the whole set, and look at the curvature now and then."""
    data = tensors(config.data, device=config.device)
    data = Tensors(data.x_train[: config.train], data.y_train[: config.train], data.x_test, data.y_test)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm=unit["norm"], activation=config.activation)
    every = config.steps // config.looks
    found: list[tuple[float, float]] = []

    def look(step: int, loss: float) -> None:
        if step % every == 0:
            top = largest_eigenvalue(model, data, config.iterations)
            length = sum(float(p.detach().square().sum()) for p in model.parameters())
            found.append((top, top * length))

    order = repeat(np.arange(config.train))
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"], on_step=look)
    tops = np.array(found + [(np.nan, np.nan)] * (config.looks - len(found)))
    return {
        "eigenvalues": tops[:, 0],
        "limit": 2 / unit["rate"],
        "against_limit": float(tops[-1, 0] * unit["rate"] / 2),
        "highest_against_limit": float(np.max(tops[:, 0]) * unit["rate"] / 2),
        "scaled": float(tops[-1, 1]),
        "accuracy": accuracy(model, data.x_test, data.y_test),
        **outcome(losses),
    }


def largest_eigenvalue(model: nn.Module, data: Tensors, iterations: int) -> float:
    """Find the Hessian's eigenvalue of largest size by power iteration, and return its Rayleigh quotient.

    Parameters
    ----------
    model : nn.Module
        In training mode; its running statistics are left as they were.
    data : Tensors
        The loss is that of all training pictures.
    iterations : int
        Hessian-vector products.

    Returns
    -------
    float
    """
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    parameters = [p for p in model.parameters() if p.requires_grad]
    loss = cross_entropy(model(data.x_train), data.y_train)
    gradient = torch.autograd.grad(loss, parameters, create_graph=True)
    flat = torch.cat([part.flatten() for part in gradient])
    generator = torch.Generator().manual_seed(0)
    v = torch.randn(flat.shape, generator=generator)
    value = 0.0
    for _ in range(iterations):
        v = v / v.norm()
        product = torch.autograd.grad(flat, parameters, grad_outputs=v, retain_graph=True)
        bent = torch.cat([part.flatten() for part in product]).detach()
        value = float(v @ bent)
        v = bent
    model.load_state_dict(kept)
    return value
