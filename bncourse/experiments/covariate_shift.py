"""Covariate shift in the ordinary sense: cats of one color in training, of all colors in the test.

The rule that gives an animal its label is the same on both sides; only the colors differ, so the training set asks
most where the test asks little. A classifier that cannot hold the whole rule is then right in the wrong places.
Weighting each training example by w = p_test(x) / p_train(x) mends that (Shimodaira's importance weights). Batch
normalization does not: it moves each side to the same mean and variance, but the rule is tied to the colors as they
are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished

QUESTION = "What mends covariate shift in the ordinary sense: importance weights, or batch normalization?"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class CovariateShiftConfig(Config):
    """Color is Gaussian on both sides, with other means; a straight line must separate a bent rule."""

    data: str = "none"
    seeds: tuple[int, ...] = tuple(range(20))
    treatments: tuple[str, ...] = ("none", "weighted", "normalized", "trained on the test's colors")
    count: int = 2000
    test_count: int = 10_000
    train_mean: float = -0.5
    test_mean: float = 1.0
    std: float = 0.7
    steps: int = 500
    rate: float = 0.5


FULL = CovariateShiftConfig()
QUICK = CovariateShiftConfig(seeds=tuple(range(10)), steps=300)


def units(config: CovariateShiftConfig, finished: Finished) -> list[Unit]:
    """Plan every treatment for every draw."""
    return grid(config.seeds, treatment=config.treatments)


def measure(config: CovariateShiftConfig, unit: Unit) -> dict[str, Any]:
    """Fit a logistic regression to the training animals and judge it by the test animals."""
    rng = np.random.default_rng(unit.seed)
    x, label = animals(rng, config.count, config.train_mean, config.std)
    x_test, label_test = animals(rng, config.test_count, config.test_mean, config.std)
    weight = np.ones(len(x))
    if unit["treatment"] == "weighted":
        weight = importance(x[:, 0], config.train_mean, config.test_mean, config.std)
    elif unit["treatment"] == "normalized":  # each side by its own statistics, as recomputed batch norm would
        x, x_test = (x - x.mean(0)) / x.std(0), (x_test - x_test.mean(0)) / x_test.std(0)
    elif unit["treatment"] == "trained on the test's colors":
        x, label = animals(rng, config.count, config.test_mean, config.std)
    line = fit(x, label, weight / weight.mean(), config.steps, config.rate)
    return {
        "accuracy": right(line, x_test, label_test),
        "train_accuracy": right(line, x, label),
        "effective_count": float(weight.sum() ** 2 / (weight**2).sum()),
    }


def animals(rng: np.random.Generator, count: int, mean: float, std: float) -> tuple[Array, Array]:
    """Color and size of each animal, and whether it is a cat: below a curve that bends with the color."""
    color = mean + std * rng.standard_normal(count)
    size = rng.standard_normal(count)
    cat = size < np.sin(2.0 * color) + 0.2 * rng.standard_normal(count)
    return np.stack([color, size], axis=1), cat.astype(float)


def importance(color: Array, train_mean: float, test_mean: float, std: float) -> Array:
    """Return p_test / p_train: the sizes have the same distribution on both sides, so only colors count."""
    weight: Array = np.exp(((color - train_mean) ** 2 - (color - test_mean) ** 2) / (2 * std**2))
    return weight


def fit(x: Array, label: Array, weight: Array, steps: int, rate: float) -> Array:
    """Weighted logistic regression by gradient descent: two slopes and an offset."""
    design = np.column_stack([x, np.ones(len(x))])
    line = np.zeros(3)
    for _ in range(steps):
        probability = 1 / (1 + np.exp(-design @ line))
        line -= rate * (weight * (probability - label)) @ design / len(x)
    return line


def right(line: Array, x: Array, label: Array) -> float:
    """Share of animals on the right side of the line."""
    return float(((x @ line[:2] + line[2] > 0) == (label > 0.5)).mean())
