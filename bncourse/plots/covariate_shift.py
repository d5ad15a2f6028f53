"""Figures of the chapter on covariate shift."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]

SHOWN = 300
"""Animals drawn in each panel: enough to see the crowd, few enough for a small file."""


def two_crowds(
    x: Array, cat: Array, x_any: Array, cat_any: Array, boundary: Callable[[Array], Array], **lines: Any
) -> Drawing:
    """Animals in training and at test time, the true boundary, and each fitted line by its name."""
    with style():
        figure = Figure(figsize=(WIDTH, 6.4))
        axes = figure.subplots(2, 1, sharex=True, sharey=True)
        dark = np.linspace(0, 1, 100)
        crowds = ((x, cat, "training: nearly all black"), (x_any, cat_any, "at test time: all colors"))
        for axis, (points, is_cat, title) in zip(axes, crowds, strict=True):
            points, is_cat = points[:SHOWN], is_cat[:SHOWN]
            for kind, marker, color, name in ((True, "^", MEAN, "cat"), (False, "o", DIRECT, "dog")):
                axis.scatter(*points[is_cat == kind].T, s=13, marker=marker, color=color, alpha=0.6, lw=0, label=name)
            axis.plot(dark, boundary(dark), "-", color=INK, lw=2.4, label="the true boundary")
            for (name, line), color in zip(lines.items(), (TOTAL, VARIANCE), strict=False):
                slope, intercept = -line.coef_[0, 0] / line.coef_[0, 1], -line.intercept_[0] / line.coef_[0, 1]
                axis.plot(dark, slope * dark + intercept, ls=LINES[color], color=color, label=f"the {name} line")
            axis.set(title=title, ylim=(-1.3, 2.0), ylabel="pointed ears")
        axes[1].set_xlabel("darkness of the coat")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(
        figure,
        "Two scatter plots of the darkness of the coat against the pointedness of the ears. In training nearly all "
        "animals crowd at dark coats, and the plain line runs as steeply as the true boundary does there. At test time "
        "coats are spread evenly; the plain line drops out of the picture on the pale side, where the true boundary "
        "is flat, and the weighted line follows the boundary on the whole.",
    )


def remedies(table: Mapping[tuple[str, str], float], *, home: float) -> Drawing:
    """Accuracy of each remedy in each case, beside the accuracy on animals like those of training."""
    names = {"nothing": "do nothing", "weights": "importance weights", "normalize": "own mean and variance"}
    looks = {"nothing": ("s", MUTED), "weights": ("D", VARIANCE), "normalize": ("o", DIRECT)}
    cases = {"crowd": "the animals\nchanged", "camera": "the camera\nchanged"}
    with style():
        figure = Figure(figsize=(WIDTH, 2.9))
        axis = figure.subplots()
        for row, case in enumerate(cases):
            for step, (remedy, name) in enumerate(names.items()):
                marker, color = looks[remedy]
                label = name if row == 0 else None
                axis.plot(table[case, remedy], row + 0.22 * (step - 1), marker, color=color, ms=9, label=label)
        axis.axvline(home, color=INK, lw=1.2, ls=":")
        axis.annotate("as in training", (home, -0.6), xytext=(-4, 0), textcoords="offset points", ha="right", color=INK)
        axis.set(yticks=range(len(cases)), yticklabels=list(cases.values()), ylim=(1.6, -0.8))
        axis.set_xlabel("test accuracy (%)")
        figure.legend(loc="outside lower center", ncols=3, handletextpad=0.2, columnspacing=1.0)
    return finish(
        figure,
        "Accuracy of three remedies in two cases. Where the animals changed, importance weights are best and "
        "normalizing by own statistics is worst. Where the camera changed, normalizing by own statistics is best by "
        "far and restores the accuracy on animals as in training.",
    )
