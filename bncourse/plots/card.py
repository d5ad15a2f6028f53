"""The course's social card: what a link to it shows where links are previewed."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from bncourse.numpy_bn import batch_norm_forward
from bncourse.plots.style import DIRECT, LINES, MEAN, SETTINGS, TOTAL, VARIANCE

SIZE = (1200, 630)
"""Width and height in pixels, as the services that show previews ask for."""

PAPER, WORDS, SECOND = "#10151c", "#f2f5f9", "#a3adba"
BRIGHT = {DIRECT: "#7cc0ff", MEAN: "#ffa868", VARIANCE: "#55d6be", TOTAL: "#dc9cf0"}
"""The colors of the paths as they stand on a dark page."""


def features(count: int = 4000, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Four features of different place and width, before and after batch normalization."""
    normal = np.random.default_rng(seed).standard_normal((count, 4))
    x = normal * [0.45, 1.3, 0.8, 0.25] + [-4.2, -0.6, 2.6, 5.2]
    y, _ = batch_norm_forward(x, gamma=np.ones(4), beta=np.zeros(4))
    return x, y


def curves(axes: Any, values: np.ndarray, span: tuple[float, float]) -> None:
    """Draw a smoothed histogram of each column."""
    edges = np.linspace(*span, 161)
    middle = (edges[1:] + edges[:-1]) / 2
    smooth = np.exp(-0.5 * np.linspace(-2.5, 2.5, 17) ** 2)
    for column, (name, color) in zip(values.T, BRIGHT.items(), strict=True):
        density = np.histogram(column, edges, density=True)[0]
        axes.plot(
            middle, np.convolve(density, smooth / smooth.sum(), "same"), color=color, lw=4, ls=LINES[name], alpha=0.95
        )
    axes.set_axis_off()


def social_card(title: str, words: str) -> Figure:
    """Draw the card: the course's name over four features before and after batch normalization.

    Parameters
    ----------
    title, words : str
        The first line, and the one below it.

    Returns
    -------
    matplotlib figure of 1200 by 630 pixels
    """
    x, y = features()
    with mpl.rc_context({**SETTINGS, "figure.constrained_layout.use": False}):
        figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, facecolor=PAPER)
        figure.text(0.06, 0.83, title, color=WORDS, fontsize=45, weight="bold", va="center")
        figure.text(0.06, 0.71, words, color=SECOND, fontsize=22, va="center")
        before = figure.add_axes((0.05, 0.14, 0.45, 0.46))
        after = figure.add_axes((0.62, 0.14, 0.33, 0.46))
        curves(before, x, (-6.5, 6.5))
        curves(after, y, (-4.0, 4.0))
        figure.text(0.56, 0.32, "\N{RIGHTWARDS ARROW}", color=WORDS, fontsize=46, ha="center", va="center")
        figure.text(0.275, 0.08, "four features", color=SECOND, fontsize=19, ha="center")
        figure.text(0.785, 0.08, "after batch normalization", color=SECOND, fontsize=19, ha="center")
    return figure
