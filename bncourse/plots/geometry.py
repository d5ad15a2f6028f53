"""Pictures of the closed form: the backward pass as a regression, and as a step along a circle."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, INK, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def regression(x_hat: Array, dy: Array) -> Drawing:
    """Draw dy against x_hat with its regression line; what is left is dx, up to the factor gamma inv_std.

    Parameters
    ----------
    x_hat, dy : arrays of shape (m,)

    Returns
    -------
    Drawing
    """
    slope, intercept = np.polyfit(x_hat, dy, 1)
    fitted = intercept + slope * x_hat
    ends = np.array([x_hat.min() - 0.3, x_hat.max() + 0.3])
    with style():
        figure = Figure(figsize=(WIDTH, 3.5))
        ax = figure.subplots()
        ax.axhline(0.0, color=MUTED, linewidth=0.8, linestyle="-")
        ax.plot(ends, np.full(2, intercept), color=MEAN, linestyle=(0, (5, 2)))
        ax.plot(ends, intercept + slope * ends, color=VARIANCE, linestyle=(0, (1, 1.4)))
        ax.vlines(x_hat, fitted, dy, color=TOTAL, linewidth=2.4)
        ax.plot(x_hat, dy, "o", color=DIRECT, markersize=5.5, linestyle="none")
        ax.text(ends[1], intercept, " mean of dy", color=MEAN, va="center")
        ax.text(ends[1], intercept + slope * ends[1], " fitted line", color=VARIANCE, va="center")
        ax.set_xlim(ends[0] - 0.1, ends[1] + 0.28 * (ends[1] - ends[0]))
        ax.set_xlabel("x_hat")
        ax.set_title("dy (dots), and what the line leaves of it (bars)")
    alt = (
        f"Scatter of dy against x_hat for {x_hat.size} samples, with a level line at their mean {intercept:.2f} and a "
        f"fitted line of slope {slope:.2f}. Bars from the line to the dots are dx, up to a factor."
    )
    return finish(figure, alt)


def circle_of_three(x: Array, dy: Array, dx: Array) -> Drawing:
    """Draw a batch of three in the plane of zero sum: its circle, its normalized place, dy and dx.

    Parameters
    ----------
    x, dy, dx : arrays of shape (3,)
        dx of the normalization with eps = 0.

    Returns
    -------
    Drawing
    """
    plane = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]) / np.sqrt([[2.0], [6.0]])
    centered = plane @ (x - x.mean())
    x_hat = centered / np.linalg.norm(centered) * np.sqrt(3.0)
    arriving, leaving = plane @ dy, plane @ dx * x.std()
    angles = np.linspace(0.0, 2.0 * np.pi, 181)
    corners = np.stack([centered, x_hat + arriving, x_hat + leaving, [-1.75, -1.75], [1.75, 1.75]])
    with style():
        figure = Figure(figsize=(WIDTH, 4.2))
        ax = figure.subplots()
        ax.plot(np.sqrt(3.0) * np.cos(angles), np.sqrt(3.0) * np.sin(angles), color=MUTED, linestyle="-", linewidth=1.2)
        ax.plot([0.0, centered[0]], [0.0, centered[1]], color=MUTED, linestyle=(0, (1, 2)), linewidth=1.2)
        for point, name, beside in ((centered, "x, centered", (7, -13)), (x_hat, "x̂", (11, -3))):
            ax.plot(*point, "o", color=INK, markersize=6)
            ax.annotate(name, point, xytext=beside, textcoords="offset points", color=INK)
        drawn = ((arriving, "dy, without its mean", DIRECT, (5, 4)), (leaving, "σ dx", TOTAL, (-36, -2)))
        for vector, name, color, beside in drawn:
            tip = x_hat + vector
            ax.annotate("", tip, x_hat, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2.2})
            ax.annotate(name, tip, xytext=beside, textcoords="offset points", color=color)
        ax.plot(*np.array([x_hat + arriving, x_hat + leaving]).T, color=VARIANCE, linestyle=(0, (1, 1.4)))
        ax.set_xlim(corners[:, 0].min() - 0.2, corners[:, 0].max() + 0.9)
        ax.set_ylim(corners[:, 1].min() - 0.3, corners[:, 1].max() + 0.3)
        ax.set_aspect("equal")
        ax.set_axis_off()
        ax.set_title("batches of three, seen along (1, 1, 1)")
    alt = (
        "A circle of radius root three. A dotted ray leads from its center through x hat, on the circle, to the "
        "centered batch. From x hat an arrow dy points anywhere, and the arrow dx along the tangent; its product "
        f"with the ray is {float(leaving @ x_hat):.1e}."
    )
    return finish(figure, alt)


def projection_spectrum(ratios: Array, kept: Array) -> Drawing:
    """Draw how much of the direction x_hat survives the backward pass, against eps / var.

    Parameters
    ----------
    ratios : array
        eps divided by the variance.
    kept : array
        Factor by which dy along x_hat is passed on, measured.

    Returns
    -------
    Drawing
    """
    with style():
        figure = Figure(figsize=(WIDTH, 3.0))
        ax = figure.subplots()
        ax.semilogx(ratios, np.ones_like(ratios), color=DIRECT, linestyle="-")
        ax.semilogx(ratios, kept, "o", color=VARIANCE, markersize=5, linestyle="none")
        fine = np.geomspace(ratios[0], ratios[-1], 200)
        ax.semilogx(fine, fine / (1.0 + fine), color=VARIANCE, linestyle=(0, (1, 1.4)))
        ax.semilogx(ratios, np.zeros_like(ratios), color=MEAN, linestyle=(0, (5, 2)))
        ax.text(ratios[0], 0.94, "the m - 2 other directions", color=DIRECT, va="top")
        ax.text(ratios[0], 0.05, "the direction 1", color=MEAN, va="bottom")
        ax.text(ratios[len(ratios) // 2], 0.6, "the direction x̂", color=VARIANCE, ha="center")
        ax.set_xlabel("eps / variance")
        ax.set_title("factor by which a direction of dy is passed on")
    alt = (
        "Three curves against eps over variance. The constant direction is passed on with factor 0, all other "
        f"directions with factor 1, and x hat with a factor that rises from {kept[0]:.1e} to {kept[-1]:.2f}."
    )
    return finish(figure, alt)
