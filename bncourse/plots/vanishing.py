"""Pictures of the vanishing term: why it is zero, three ways, and how rounding brings it back."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bncourse.plots.style import DIRECT, INK, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def spread_about(x: Array, others: dict[str, float]) -> Drawing:
    """Draw the mean squared deviation of x about every center: a parabola, flat at the mean of x.

    Parameters
    ----------
    x : array of shape (m,)
    others : dict
        Names and places of other centers, where the slope is drawn too.

    Returns
    -------
    Drawing
    """
    mean, deviation = float(x.mean()), float(x.std())
    centers = np.linspace(mean - 2.2 * deviation, mean + 2.2 * deviation, 121)
    spread = [float(((x - center) ** 2).mean()) for center in centers]
    marks = {"the batch's own mean": mean} | others
    slopes = {name: float(-2.0 * (x - place).mean()) for name, place in marks.items()}
    with style():
        figure = Figure(figsize=(WIDTH, 3.5))
        ax = figure.subplots()
        ax.plot(centers, spread, color=VARIANCE, linestyle="-")
        ax.plot(x, np.zeros_like(x), "|", color=MUTED, markersize=9, linestyle="none")
        colors = [MEAN, DIRECT, TOTAL]
        for place, (name, center), color in zip(range(len(marks)), marks.items(), colors, strict=False):
            height, slope, reach = float(((x - center) ** 2).mean()), slopes[name], 0.75 * deviation
            ends = np.array([center - reach, center + reach])
            ax.plot(ends, height + slope * (ends - center), color=color, linestyle="-", linewidth=2.4)
            ax.plot([center], [height], "o", color=color, markersize=6)
            ax.text(
                0.29,
                0.97 - 0.085 * place,
                f"{name}: slope {slope:.2f}".replace("-0.00", "0.00"),
                transform=ax.transAxes,
                color=color,
                va="top",
            )
        ax.set_xlabel("center c; the batch is marked below")
        ax.set_title("mean squared deviation about c")
        ax.set_ylim(-0.08 * max(spread), 1.45 * max(spread))
    slopes_read = ", ".join(f"{slope:.2f} at {name}" for name, slope in slopes.items())
    return finish(figure, f"A parabola of the spread of a batch about a center. Its slope is {slopes_read}.")


def projection_product(x_hat: Array) -> Drawing:
    """Draw I - A - B + AB = P as five matrices, each entry a square of its size (hollow where negative).

    Parameters
    ----------
    x_hat : array of shape (m,)
        Normalized with eps = 0; six values or so.

    Returns
    -------
    Drawing
    """
    count = x_hat.size
    onto_ones = np.ones((count, count)) / count
    onto_x_hat = np.outer(x_hat, x_hat) / count
    matrices = [
        ("identity\n(direct)", np.eye(count), DIRECT),
        ("A: onto 1\n(mean)", onto_ones, MEAN),
        ("B: onto x̂\n(variance)", onto_x_hat, VARIANCE),
        ("A B: the\nvanishing term", onto_ones @ onto_x_hat, MEAN),
        ("P = (I-A)(I-B)\n(all of dx)", np.eye(count) - onto_ones - onto_x_hat, TOTAL),
    ]
    with style():
        figure = Figure(figsize=(WIDTH, 4.3))
        axes = figure.subplots(2, 3).ravel()
        for ax, (name, matrix, color) in zip(axes, matrices, strict=False):
            _squares(ax, matrix, color)
            ax.set_title(name, color=color, loc="center", fontsize=11)
        axes[5].set_axis_off()
        axes[5].text(0.0, 0.72, "filled: positive\nhollow: negative\narea: size", color=INK, va="top")
    alt = (
        f"Five matrices of {count} by {count} squares. The identity has a diagonal; A is even everywhere; B has large "
        f"entries in its corners; A times B is empty, its largest entry being {np.abs(matrices[3][1]).max():.0e}; "
        "P is the identity less A and less B."
    )
    return finish(figure, alt)


def _squares(ax: Axes, matrix: Array, color: str) -> None:
    """Draw each entry as a square whose area is its size."""
    count = len(matrix)
    for (row, column), value in np.ndenumerate(matrix):
        side = 0.92 * float(np.sqrt(min(1.0, abs(value))))
        if side > 0.01:
            corner = (column + 0.5 - side / 2, row + 0.5 - side / 2)
            fill = color if value > 0 else "none"
            ax.add_patch(Rectangle(corner, side, side, facecolor=fill, edgecolor=color, linewidth=1.1))
    ax.add_patch(Rectangle((0, 0), count, count, facecolor="none", edgecolor=MUTED, linewidth=0.8))
    ax.set_xlim(-0.1, count + 0.1)
    ax.set_ylim(count + 0.1, -0.1)
    ax.set_aspect("equal")
    ax.set_axis_off()


def rounding(offsets: Array, shares: dict[str, Array]) -> Drawing:
    """Draw how large rounding makes the vanishing term, for each precision.

    Parameters
    ----------
    offsets : array
        Mean of the batch, in standard deviations.
    shares : dict
        For each precision's name, the size of the part through the variance relative to the direct part.

    Returns
    -------
    Drawing
    """
    with style():
        figure = Figure(figsize=(WIDTH, 3.6))
        ax = figure.subplots()
        for (name, values), color in zip(shares.items(), (MEAN, VARIANCE, DIRECT), strict=False):
            ax.loglog(offsets, values, "o-", color=color, markersize=4.5)
            ax.annotate(name, (offsets[-1], values[-1]), xytext=(6, 0), textcoords="offset points", color=color)
        ax.axhline(1.0, color=MUTED, linestyle="-", linewidth=0.8)
        ax.text(offsets[0], 1.4, "as large as the direct part", color=MUTED, va="bottom", fontsize=11)
        ax.set_ylim(top=60.0)
        ax.set_xlim(right=offsets[-1] * 6)
        ax.set_xlabel("mean of the batch, in its standard deviations")
        ax.set_title("part through the variance / direct part")
    read = "; ".join(f"{name}: {values[0]:.0e} to {values[-1]:.0e}" for name, values in shares.items())
    return finish(figure, f"Three rising lines on logarithmic axes, one for each precision. {read}.")
