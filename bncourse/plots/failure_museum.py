"""Figures of the failure museum."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, INK, LINES, MEAN, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def lottery(half_gap: Array, factors: Mapping[float, Array]) -> Drawing:
    """Factor on the gradient in a batch of two against half the distance of the two samples, for each eps."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.4))
        axis = figure.subplots()
        for (eps, factor), color in zip(factors.items(), (VARIANCE, MEAN, DIRECT), strict=False):
            axis.loglog(half_gap, factor, ls=LINES[color], color=color, label=f"eps = {eps:g}")
        axis.set(xlabel="half the distance of the two samples", ylabel="factor on the gradient", ylim=(1e-6, 1e4))
        axis.legend(loc="lower left")
    peaks = ", ".join(f"{factor.max():.0f} for eps {eps:g}" for eps, factor in factors.items())
    return finish(
        figure,
        "Factor on the gradient against half the distance of the two samples, on logarithmic axes. Each curve is flat "
        f"up to the root of eps, at {peaks}, and falls with the third power after it; the smaller eps, the higher and "
        "the narrower the flat part.",
    )


def own_statistics(sizes: Sequence[int], accuracies: Mapping[str, Sequence[float]], running: float) -> Drawing:
    """Test accuracy with the test batches' own statistics against their size, and with the running statistics."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.6))
        axis = figure.subplots()
        axis.axhline(running, ls="-", lw=1.2, color=INK, label="running statistics")
        for (name, values), color, marker in zip(accuracies.items(), (MEAN, TOTAL), "s^", strict=False):
            axis.semilogx(sizes, values, marker, ls=LINES[color], color=color, label=name)
            words.append(f"{name} {', '.join(f'{value:.0f}' for value in values)}")
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
        axis.set(xlabel="size of the test batches", ylabel="test accuracy (%)", ylim=(0, 102))
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    named = ", ".join(str(size) for size in sizes)
    return finish(
        figure,
        f"Test accuracy in percent at test batches of {named}: {'; '.join(words)}. With the running statistics it is "
        f"{running:.0f} at every size.",
    )
