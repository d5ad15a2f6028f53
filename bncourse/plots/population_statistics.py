"""Figures of the chapter on population statistics."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, INK, LINES, MEAN, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def bias(sizes: Array, biased: Array, corrected: Array) -> Drawing:
    """Mean batch variance against the batch size, with and without the factor m/(m-1)."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        axis.semilogx(sizes, (sizes - 1) / sizes, ls=":", color=INK, lw=1.2, label="(m - 1) / m")
        axis.plot(sizes, biased, "o", ls="none", color=MEAN, label="mean of the batch variances")
        axis.plot(sizes, corrected, "s", ls="none", color=DIRECT, label="times m / (m - 1)")
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
        axis.set(xlabel="batch size m", ylabel="estimate (truth: 1)", ylim=(0.4, 1.08))
        axis.legend(loc="lower right")
    return finish(
        figure,
        "Estimates of a variance of 1 against the batch size from 2 to 256. The mean of the batch variances lies on "
        "the curve (m - 1) / m: one half at 2, 0.875 at 8, close to 1 at 256. Multiplied by m / (m - 1) it is 1 at "
        "every size.",
    )


def tracking(steps: Array, history: Array, names: Sequence[str]) -> Drawing:
    """Test accuracy of one network under several kinds of statistics."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.4))
        axis = figure.subplots()
        for column, (name, color) in enumerate(zip(names, (MEAN, VARIANCE, DIRECT), strict=True)):
            axis.plot(steps, history[:, column], ls=LINES[color], color=color, label=name)
        axis.set(xlabel="training step", ylabel="test accuracy (%)", ylim=(0, 100))
        axis.legend(loc="lower right")
    return finish(
        figure,
        "Test accuracy over the training steps of one network. With exact statistics it rises at once. With a "
        "moving average of weight 0.1 it follows a little later, with weight 0.01 much later; at the end all three "
        "meet.",
    )
