"""Figures of the chapter on convolution."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def maps(rows: Mapping[str, Array]) -> Drawing:
    """Three feature maps of one digit in each row, with one range of gray for the row."""
    with style():
        figure = Figure(figsize=(WIDTH, 1.55 * len(rows)))
        axes = figure.subplots(len(rows), 3)
        for line, (name, values) in zip(axes, rows.items(), strict=True):
            for axis, picture in zip(line, values, strict=True):
                axis.imshow(picture, cmap="gray", vmin=values.min(), vmax=values.max(), interpolation="nearest")
                axis.set(xticks=[], yticks=[], xlabel=f"mean {picture.mean() + 0.0:.1f}".replace("-0.0", "0.0"))
                axis.grid(visible=False)
            line[0].set_ylabel(name.replace(" (", "\n("))
        for axis, name in zip(axes[0], ("digit", "horizontal edges", "vertical edges"), strict=True):
            axis.set_title(name)
    return finish(
        figure,
        "A table of small gray pictures: three feature maps of a digit in four rows. Input: the maps lie at very "
        "different levels, so that two of them look flat. Per map: all three show their picture at one scale. Per "
        "pixel: the digit is distorted, and rarely used pixels stand out. Without transpose: the maps still lie at "
        "different levels.",
    )


def effective_counts(sizes: Array, nominal: Array, effective: Mapping[str, Array]) -> Drawing:
    """Nominal number of values behind a mean and what they are worth, against the batch size."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.4))
        axis = figure.subplots()
        for (name, counts), color, marker in zip(effective.items(), (DIRECT, VARIANCE), "sD", strict=True):
            axis.loglog(sizes, counts, marker, ls=LINES[color], color=color, label=f"worth, {name}")
        axis.loglog(sizes, nominal, "o", ls=LINES[MEAN], color=MEAN, label="values, m'")
        axis.loglog(sizes, sizes, color=MUTED, ls=":", label="samples, m")
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
        axis.set(xlabel="batch size", ylabel="count")
        axis.legend(loc="upper left", ncols=2)
        axis.set_ylim(1, 1e5)
    return finish(
        figure,
        "Counts behind a map's mean against the batch size from 2 to 64, on logarithmic axes. The values of the "
        "digits are worth about twice their number. Those of the photographs are worth hardly more than the number "
        "of samples, a sixtieth of their number.",
    )
