r"""A mean that is not the spread's own minimizer: a term that vanishes for batch norm, and not for L1 batch norm.

In batch norm the derivative of the variance by the mean is :math:`-\tfrac2m \sum_i (x_i - \mu) = 0`: the mean is the
center about which the squares are smallest. L1 batch norm divides by the mean absolute deviation,
:math:`s = \tfrac1m \sum_i |x_i - \mu|`, which is smallest about the *median*. Its derivative by the mean,
:math:`-\tfrac1m \sum_i \operatorname{sign}(x_i - \mu)`, vanishes only where mean and median have equally many values on
either side. This file measures how large the path from the mean through the spread is beside the direct one, and how
wrong dx becomes without it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Array

QUESTION = "What becomes of the vanishing term where the mean does not minimize the spread, as in L1 batch norm?"

DRAWN = {"normal": "standard_normal", "exponential": "standard_exponential"}


@dataclass(frozen=True, kw_only=True)
class L1NormConfig(Config):
    """Batches of one feature, random upstream gradients."""

    data: str = "none"
    seeds: tuple[int, ...] = tuple(range(10))
    norms: tuple[str, ...] = ("l1", "l2")
    shapes: tuple[str, ...] = ("normal", "exponential")
    sizes: tuple[int, ...] = (4, 32, 256)
    batches: int = 400
    eps: float = 1e-5


FULL = L1NormConfig()
QUICK = L1NormConfig(seeds=(0, 1, 2), batches=100)


def units(config: L1NormConfig, finished: Finished) -> list[Unit]:
    """Plan both norms, both shapes, every batch size."""
    return grid(config.seeds, norm=config.norms, shape=config.shapes, size=config.sizes)


def measure(config: L1NormConfig, unit: Unit) -> dict[str, Any]:
    """Draw batches and upstream gradients, and measure the term and its absence."""
    rng = np.random.default_rng([unit.seed, 92])
    shape = (config.batches, unit["size"])
    x, dy = getattr(rng, DRAWN[unit["shape"]])(shape), rng.standard_normal(shape)
    direct, through = center_paths(x, dy, unit["norm"], config.eps)
    right = backward(x, dy, unit["norm"], config.eps)
    wrong = backward(x, dy, unit["norm"], config.eps, through_spread=False)
    return {
        "share": float(np.sqrt((through**2).mean() / (direct**2).mean())),
        "dx_error": float(np.sqrt(((wrong - right) ** 2).sum() / (right**2).sum())),
    }


def spread(centered: Array, norm: str, eps: float) -> Array:
    """Return what is divided by: the root of the variance, or the mean absolute deviation; shape (batches, 1)."""
    if norm == "l2":
        return np.asarray(np.sqrt((centered * centered).mean(axis=1, keepdims=True) + eps))
    return np.asarray(np.abs(centered).mean(axis=1, keepdims=True) + eps)


def spread_slope(centered: Array, s: Array, norm: str) -> Array:
    """Return ds / d(centered), of the shape of centered."""
    count = centered.shape[1]
    return np.asarray(centered / (count * s) if norm == "l2" else np.sign(centered) / count)


def center_paths(x: Array, dy: Array, norm: str, eps: float) -> tuple[Array, Array]:
    """Return the derivative of the loss by the mean, directly and through the spread; each of shape (batches,)."""
    centered = x - x.mean(axis=1, keepdims=True)
    s = spread(centered, norm, eps)
    ds = -(dy * centered).sum(axis=1, keepdims=True) / s**2
    direct = -(dy / s).sum(axis=1)
    through = -(ds * spread_slope(centered, s, norm)).sum(axis=1)
    return direct, through


def backward(x: Array, dy: Array, norm: str, eps: float, *, through_spread: bool = True) -> Array:
    """Return dx of y = (x - mean) / spread for batches in rows; with or without the mean's path through the spread.

    Examples
    --------
    For the variance the path is zero, so leaving it out changes nothing.

    >>> x, dy = np.array([[0.0, 1.0, 5.0]]), np.array([[1.0, 0.0, 0.0]])
    >>> full, cut = (backward(x, dy, "l2", 0.0, through_spread=kept) for kept in (True, False))
    >>> bool(np.abs(full - cut).max() < 1e-15)
    True
    >>> full, cut = (backward(x, dy, "l1", 0.0, through_spread=kept) for kept in (True, False))
    >>> bool(np.abs(full - cut).max() > 0.05)
    True
    """
    centered = x - x.mean(axis=1, keepdims=True)
    s = spread(centered, norm, eps)
    ds = -(dy * centered).sum(axis=1, keepdims=True) / s**2
    direct, through = center_paths(x, dy, norm, eps)
    dmean = direct + through if through_spread else direct
    return np.asarray(dy / s + ds * spread_slope(centered, s, norm) + dmean[:, None] / x.shape[1])
