"""Gradients that explode with depth: batch normalization in deep plain networks, before any training.

Batch norm keeps the signal's size from layer to layer, and yet in a deep network without shortcuts the gradient grows
on its way back. Yang et al. (2019) derive the factor by which its square grows per layer in the limit of wide layers
and large batches; for rectified units it is pi / (pi - 1) = 1.467. A network started after He, without normalization,
keeps the gradient's size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bncourse.experiments.networks import ACTIVATIONS, linear, normalization
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished

QUESTION = "How do gradients grow with depth in plain networks with batch normalization?"

RELU_GROWTH = np.pi / (np.pi - 1)
"""Per layer, of the squared norm; in the limit of wide layers and large batches."""


@dataclass(frozen=True, kw_only=True)
class ExplosionConfig(Config):
    """Random inputs and a random gradient at the top: the question is about the start, not about data."""

    data: str = "none"
    norms: tuple[str, ...] = ("none", "batch", "layer")
    activations: tuple[str, ...] = ("relu", "tanh")
    depths: tuple[int, ...] = (2, 5, 10, 20, 50, 100)
    width: int = 512
    batch_size: int = 512


FULL = ExplosionConfig()
QUICK = ExplosionConfig(seeds=(0, 1, 2), activations=("relu",), depths=(10, 50), width=128, batch_size=128)


def units(config: ExplosionConfig, finished: Finished) -> list[Unit]:
    """Plan every normalization at every depth."""
    return grid(config.seeds, norm=config.norms, activation=config.activations, depth=config.depths)


def measure(config: ExplosionConfig, unit: Unit) -> dict[str, Any]:
    """Send one batch forward and one random gradient back."""
    torch.manual_seed(unit.seed)
    x = torch.randn(config.batch_size, config.width)
    layers = [x.requires_grad_()]
    for _ in range(unit["depth"]):
        hidden = linear(config.width, config.width, bias=False)(layers[-1])
        hidden = ACTIVATIONS[unit["activation"]]()(normalization(unit["norm"], config.width)(hidden))
        hidden.retain_grad()
        layers.append(hidden)
    layers[-1].backward(torch.randn_like(layers[-1]))  # type: ignore[no-untyped-call]
    norms = np.array([float(layer.grad.norm()) for layer in layers if layer.grad is not None])
    # the ends have other neighbors: growth is read off the layers between
    inner = norms[1:-1] if len(norms) > 4 else norms
    growth = (inner[0] / inner[-1]) ** (2 / (len(inner) - 1))
    return {"gradient_norms": norms / norms[-1], "growth": float(growth), "total": float(norms[0] / norms[-1])}
