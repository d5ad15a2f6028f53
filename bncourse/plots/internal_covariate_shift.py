"""Figures of the chapter on internal covariate shift."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, LINES, MEAN, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def smooth(values: Array, width: int) -> Array:
    """Moving average over `width` values.

    >>> smooth(np.array([1.0, 3.0, 5.0]), 2).tolist()
    [2.0, 4.0]
    """
    return np.convolve(values, np.ones(width) / width, mode="valid")


def chase(plain: Array, normalized: Array, speeds: Array, final_plain: Array, final_normalized: Array) -> Drawing:
    """Loss over the steps, and the final loss against the speed of the drift."""
    with style():
        figure = Figure(figsize=(WIDTH, 5.8))
        axes = figure.subplots(2, 1)
        for losses, color, name in ((plain, MEAN, "plain"), (normalized, DIRECT, "normalized")):
            curve = smooth(losses, 20)[::5]
            axes[0].plot(5 * np.arange(len(curve)), curve, ls=LINES[color], color=color, label=name)
        axes[0].set(
            xlabel="step", ylabel="loss", yscale="log", title="a drift of medium speed (loss 1: nothing learned)"
        )
        ticks = np.arange(len(speeds))
        axes[1].plot(ticks, final_plain, "s", ls=LINES[MEAN], color=MEAN, label="plain")
        axes[1].plot(ticks, final_normalized, "o", ls=LINES[DIRECT], color=DIRECT, label="normalized")
        axes[1].set(yscale="log", xlabel="speed of the drift (radians a step)", ylabel="final loss")
        axes[1].set_xticks(ticks, [f"{speed:g}" for speed in speeds])
        axes[1].legend()
    return finish(
        figure,
        "Above, loss over two thousand steps at a medium speed of drift: the plain layer's falls and rises with the "
        "drift, the normalized one's falls once and stays. Below, final loss against the speed of the drift: the "
        "plain layer's rises from nearly nothing to a third, the normalized one's is a flat line, which lies above "
        "the plain layer's at speed zero.",
    )


def shapes(x_hat: Array, names: Sequence[str], after_relu: Array) -> Drawing:
    """Histograms of normalized features, with the mean that a ReLU leaves of each."""
    with style():
        figure = Figure(figsize=(WIDTH, 4.6))
        axes = figure.subplots(len(names), 1, sharex=True)
        for column, (axis, name) in enumerate(zip(axes, names, strict=True)):
            heights, edges = np.histogram(x_hat[:, column], bins=np.linspace(-3, 4, 57), density=True)
            axis.stairs(heights, edges, fill=True, color=DIRECT, alpha=0.55)
            axis.axvline(after_relu[column], color=MEAN, lw=2.2)
            axis.annotate(
                f"mean after ReLU: {after_relu[column]:.3f}", (after_relu[column], 0.8 * heights.max()),
                xytext=(60, 0), textcoords="offset points", color=MEAN, va="center",
            )  # fmt: skip
            axis.set(title=name, yticks=[])
        axes[-1].set_xlabel("normalized value")
    return finish(
        figure,
        "Histograms of three normalized features: a bell, two spikes at minus one and at one, and a falling "
        "exponential with a long right tail. All have mean 0 and variance 1. The mean after a ReLU is marked in "
        "each, and differs: "
        + ", ".join(f"{name} {value:.3f}" for name, value in zip(names, after_relu, strict=True))
        + ".",
    )
