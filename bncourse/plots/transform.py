"""Figures of the chapter on the transform."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]

SHOWN = 300
"""Points drawn of a cloud."""


def kept(x: Array, y: Array) -> Drawing:
    """Draw two features before and after the transform."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.0))
        axes = figure.subplots(1, 2)
        for axis, points, color, title in ((axes[0], x, MEAN, "before"), (axes[1], y, DIRECT, "after")):
            axis.scatter(*points[:SHOWN].T, s=9, lw=0, color=color, alpha=0.6)
            axis.plot(*points.mean(axis=0), "+", color=INK, ms=13, mew=2)
            axis.set(title=title, xlabel="first feature")
        axes[0].set_ylabel("second feature")
    return finish(
        figure,
        "Two scatter plots of a batch with two features, before and after the transform. The cloud has the same "
        "lopsided, slanted shape in both; only the numbers on the axes differ: after the transform the mean lies at "
        "zero and both features have variance one.",
    )


def sigmoid_scales(gammas: Sequence[float]) -> Drawing:
    """Draw the sigmoid of a scaled normalized input, above the density of that input."""
    x_hat = np.linspace(-3, 3, 121)
    with style():
        figure = Figure(figsize=(WIDTH, 3.6))
        axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        for gamma, color in zip(gammas, (DIRECT, MEAN, VARIANCE), strict=True):
            axes[0].plot(x_hat, 1 / (1 + np.exp(-gamma * x_hat)), ls=LINES[color], color=color, label=f"γ = {gamma:g}")
        axes[0].set_ylabel("sigmoid")
        axes[0].legend()
        axes[1].fill_between(x_hat, np.exp(-(x_hat**2) / 2), color=MUTED, alpha=0.5, lw=0)
        axes[1].set(yticks=[], xlabel="normalized input", ylabel="inputs")
    return finish(
        figure,
        "The sigmoid of gamma times the normalized input, for gamma 1, 2 and 5, above a bell that shows where the "
        "inputs lie. For gamma 1 the curve is nearly straight over the bell; for gamma 5 it is nearly a step.",
    )


def placement(relu: Array, product: Array) -> Drawing:
    """Histograms of all units' standardized values, of a ReLU's output and of the product that follows."""
    bins = np.linspace(-3, 4, 57)
    with style():
        figure = Figure(figsize=(WIDTH, 3.8))
        axes = figure.subplots(2, 1, sharex=True)
        alive = relu[:, relu.std(axis=0) > 0]
        for axis, values, color, title in (
            (axes[0], alive, MEAN, "u, the output of a ReLU"),
            (axes[1], product - product.mean(axis=0), DIRECT, "W u minus its mean, which the paper normalizes"),
        ):
            heights = np.histogram(values / values.std(axis=0), bins=bins, density=True)
            axis.stairs(*heights, fill=True, color=color, alpha=0.6)
            axis.set(title=title, yticks=[])
        axes[1].set_xlabel("value in standard deviations of its unit")
    return finish(
        figure,
        "Two histograms over all units of a second layer. The output of a ReLU has a tall spike at zero and a long "
        "tail to the right. The product W u is a nearly symmetric bell.",
    )
