"""Figures of the chapter on modes and folding."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, INK, MEAN, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def company(outputs: Array, alone: float) -> Drawing:
    """Draw the outputs of one sample in many batches, and its one output in inference mode."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.8))
        axis = figure.subplots()
        heights, edges = np.histogram(outputs, bins=30)
        axis.stairs(heights, edges, fill=True, color=MEAN, alpha=0.6, label="training mode, batches of 8")
        axis.axvline(alone, color=DIRECT, lw=2.4, label="inference mode")
        axis.set(xlabel="output for the same input", ylabel="batches")
        axis.tick_params(colors=INK)
        figure.legend(loc="outside upper center", ncols=2)
    return finish(
        figure,
        f"Histogram of the outputs of one sample in {len(outputs)} different batches of 8 in training mode. They "
        f"spread from {outputs.min():.1f} to {outputs.max():.1f}. A vertical line marks the single output in "
        f"inference mode, {alone:.2f}.",
    )
