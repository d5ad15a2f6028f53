"""Statistics left out of the gradient, and the bias that grows without bound (section 2 of the paper).

A layer adds a bias to its input and the result is normalized: x = u + b, y = (x - E[x]) / sqrt(Var[x] + eps). The
targets have a mean of their own, so the loss asks for a larger (or smaller) y. If the gradient step forgets that E[x]
follows b, it moves b at every step; the normalization removes the move; the loss stays where it was, and b grows
without bound. With the statistics inside the gradient, db is zero and b rests.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.numpy_bn.functional import batch_norm_backward, batch_norm_forward

QUESTION = "What goes wrong when the normalization statistics are left out of the gradient?"

BATCHES = (4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True, kw_only=True)
class OutsideGradientConfig(Config):
    """One feature, a fixed batch, full-batch gradient descent: exact and small."""

    data: str = "none"
    seeds: tuple[int, ...] = tuple(range(10))
    steps: int = 1000
    count: int = 64
    rate: float = 0.1
    target_mean: float = 1.0
    eps: float = 1e-5
    probes: int = 200


FULL = OutsideGradientConfig()
QUICK = OutsideGradientConfig(seeds=(0, 1, 2, 3, 4), steps=200, probes=50)


def units(config: OutsideGradientConfig, finished: Finished) -> list[Unit]:
    """Plan the two gradients, and the size of the error for each batch size."""
    growth = grid(config.seeds, part=["growth"], statistics=["inside", "outside"])
    return growth + grid(config.seeds, part=["error"], batch_size=BATCHES)


def measure(config: OutsideGradientConfig, unit: Unit) -> dict[str, Any]:
    """Train the bias, or compare one step's two gradients."""
    rng = np.random.default_rng(unit.seed)
    if unit["part"] == "error":
        return {"relative_error": _relative_error(rng, unit["batch_size"], config.probes)}
    u = rng.standard_normal((config.count, 1))
    target = config.target_mean + rng.standard_normal((config.count, 1))
    one, zero = np.ones(1), np.zeros(1)
    b = 0.0
    bias, loss = [b], []
    for _ in range(config.steps):
        y, cache = batch_norm_forward(u + b, one, zero, eps=config.eps)
        loss.append(float(0.5 * ((y - target) ** 2).mean()))
        dy = (y - target) / config.count
        inside = batch_norm_backward(dy, cache).dx
        outside = dy * cache.inv_std  # E[x] and Var[x] taken for constants
        db = (inside if unit["statistics"] == "inside" else outside).sum()
        b -= config.rate * float(db)
        bias.append(b)
    return {
        "bias": np.array(bias[:: max(1, config.steps // 100)]),
        "loss_change": max(loss) - min(loss),
        "bias_after": bias[-1],
        "bias_after_half": bias[config.steps // 2],
    }


def _relative_error(rng: np.random.Generator, batch_size: int, probes: int) -> float:
    """Size of what is missing from dx when the statistics are constants, relative to the right dx.

    The right dx has lost two directions of the batch_size that dy has, so about sqrt(2 / (batch_size - 2)).
    """
    missing, right = 0.0, 0.0
    for _ in range(probes):
        x, dy = rng.standard_normal((2, batch_size, 1))
        _, cache = batch_norm_forward(x, np.ones(1), np.zeros(1))
        dx = batch_norm_backward(dy, cache).dx
        missing += float(((dy * cache.inv_std - dx) ** 2).sum())
        right += float((dx**2).sum())
    return float(np.sqrt(missing / right))
