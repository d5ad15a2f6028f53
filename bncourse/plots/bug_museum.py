"""Figures of the bug museum."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, LINES, MEAN, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def cancellation(offsets: Array, errors: Mapping[str, Sequence[float]]) -> Drawing:
    """Draw the relative error of a variance against the mean, for each way to compute it."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        for (name, values), color, marker in zip(errors.items(), (MEAN, DIRECT), "so", strict=True):
            axis.loglog(offsets, values, marker, ls=LINES[color], color=color, ms=5, label=name)
        axis.axhline(1.0, color=MEAN, lw=0.8, ls=":")
        axis.annotate("no digit is right", (offsets[0], 1.0), xytext=(0, 4), textcoords="offset points", color=MEAN)
        axis.set(xlabel="mean of the feature (its variance is 1)", ylabel="relative error")
        axis.legend(loc="upper left")
    return finish(
        figure,
        "Largest relative error of a variance in float32 against the mean, both on logarithmic axes. In one pass "
        "the error grows with the square of the mean and exceeds 1 from a mean of a few thousand on. In two passes "
        "it stays near one part in ten million.",
    )
