"""How each normalization looks in every figure of an experiment: a color, a marker and a line of its own."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.transforms import ScaledTranslation

from bncourse.experiments.result import Array
from bncourse.experiments.statistics import band, interval
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE

BESIDE = 6.5 / 72
"""Inches from a condition's marker to the dots of its seeds."""


class Look(NamedTuple):
    """What tells one condition from the others, in color and in gray."""

    name: str
    color: str
    marker: str
    line: Any


NORMS = {
    "none": Look("without", MUTED, "v", ":"),
    "batch": Look("with batch norm", MEAN, "s", LINES[MEAN]),
    "layer": Look("layer norm", DIRECT, "o", LINES[DIRECT]),
    "group": Look("group norm", VARIANCE, "D", LINES[VARIANCE]),
    "instance": Look("instance norm", TOTAL, "^", LINES[TOTAL]),
    "renorm": Look("batch renorm", TOTAL, "X", LINES[TOTAL]),
    "ghost": Look("ghost batch norm", INK, "P", "-"),
}


def curves(axis: Any, x: Array, runs: Array, look: Look) -> None:
    """Draw every seed thinly, their mean, and the mean's 95 % interval as a band; NaN is left out.

    Parameters
    ----------
    axis : matplotlib axes
    x : array of shape (points,)
    runs : array of shape (seeds, points)
    look : Look
        Its name becomes the label.
    """
    for run in runs:
        axis.plot(x, run, "-", color=look.color, lw=0.6, alpha=0.45)
    mean, low, high = band(runs)
    axis.plot(x, mean, look.marker, ls=look.line, color=look.color, ms=5, markevery=(0.06, 0.19), label=look.name)
    axis.fill_between(x, low, high, color=look.color, alpha=0.2, lw=0)


def seeds(axis: Any, place: float, values: Array, look: Look, *, lying: bool = False) -> None:
    """Draw one condition: a small dot a seed, and a marker at the mean with the 95 % interval as a bar.

    The dots stand beside their own marker by a length on paper, so that on no axis do they reach the next condition's.

    Parameters
    ----------
    axis : matplotlib axes
    place : float
        Where the condition stands.
    values : array of shape (seeds,)
        Finite numbers.
    look : Look
    lying : bool
        Places upward and values to the right, in place of the other way round.
    """

    def plot(places: Any, at: Any, *form: Any, **more: Any) -> Any:
        return axis.plot(*((at, places) if lying else (places, at)), *form, color=look.color, **more)[0]

    mean, low, high, count = interval(values)
    right, up = (0.0, -BESIDE) if lying else (BESIDE, 0.0)
    dots = plot(np.full(count, place), values, ".", ms=4, alpha=0.6)
    dots.set_transform(axis.transData + ScaledTranslation(right, up, axis.figure.dpi_scale_trans))
    if count > 1:
        plot([place, place], [low, high], "-", lw=1.4)
    plot(place, mean, look.marker, ms=6)
