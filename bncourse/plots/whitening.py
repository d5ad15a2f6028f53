"""Figures of the chapter on whitening."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def descent(curvature: Array, start: Array, steps: int) -> Array:
    """Path of gradient descent on half of w^T H w, at the best fixed rate.

    >>> descent(np.eye(2), np.array([3.0, 4.0]), 1).tolist()
    [[3.0, 4.0], [0.0, 0.0]]
    """
    low, high = np.linalg.eigvalsh(curvature)[[0, -1]]
    shrink = np.eye(2) - 2 / (low + high) * curvature
    path = [start]
    for _ in range(steps):
        path.append(shrink @ path[-1])
    return np.array(path)


def valleys(inputs: Mapping[str, Array], steps: int = 40) -> Drawing:
    """Contours of the loss over two weights for each kind of input, with the path of gradient descent."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.4))
        axes = figure.subplots(1, len(inputs), sharey=True)
        grid = np.linspace(-1.25, 1.25, 61)
        weights = np.stack(np.meshgrid(grid, grid), axis=-1)
        for axis, (name, x) in zip(axes, inputs.items(), strict=True):
            curvature = x.T @ x / len(x)
            loss = np.einsum("abi,ij,abj->ab", weights, curvature, weights) / 2
            path = descent(curvature, np.array([-1.0, 0.55]), steps)
            axis.contour(
                grid, grid, loss / loss.max(), levels=np.linspace(0.03, 1, 8) ** 2, colors=MUTED, linewidths=0.8
            )
            axis.plot(*path.T, "-o", color=DIRECT, ms=2.5, lw=1.1)
            axis.plot(0, 0, "x", color=MEAN, ms=8, mew=2)
            axis.set(aspect="equal", title=name, xticks=[-1, 0, 1], yticks=[-1, 0, 1])
            axis.grid(visible=False)
        axes[0].set_ylabel("second weight")
        axes[1].set_xlabel("first weight")
    return finish(
        figure,
        "Contours of the loss over two weights, with the path of gradient descent. Centered inputs: a valley so "
        "narrow that the contours are parallel lines; the path drops into it and then stands almost still, far from "
        "the minimum. Standardized: a slanted ellipse, crossed in a zigzag. Whitened: circles, and one step to the "
        "minimum.",
    )


def runaway(bias: Mapping[str, Array], every: int) -> Drawing:
    """The bias over the steps, for statistics inside and outside of the gradient; one line a seed."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.0))
        axis = figure.subplots()
        for (where, curves), color in zip(bias.items(), (DIRECT, MEAN), strict=True):
            for number, curve in enumerate(curves):
                label = f"statistics {where} the gradient" if number == 0 else None
                axis.plot(every * np.arange(len(curve)), curve, ls=LINES[color], color=color, lw=1.4, label=label)
        axis.axhline(0, color=INK, lw=0.6)
        axis.set(xlabel="step", ylabel="bias")
        axis.legend(loc="upper left")
    return finish(
        figure,
        "The bias over the steps for several seeds. With the statistics inside the gradient it stays at zero. With the "
        "statistics outside it grows along straight lines that do not bend.",
    )


def crossing(gaps: Array, speeds: Mapping[str, Array]) -> Drawing:
    """Speed of a whitened batch against the gap between two eigenvalues, for each way to whiten."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.0))
        axis = figure.subplots()
        for (name, values), color, marker in zip(speeds.items(), (MEAN, DIRECT), "so", strict=True):
            axis.loglog(gaps, values, marker, ls=LINES[color], color=color, ms=5, label=name)
        axis.set(xlabel="gap between two eigenvalues", ylabel="speed of the output")
        axis.legend()
    return finish(
        figure,
        "Speed of the whitened batch against the gap between two eigenvalues, on logarithmic axes. For PCA it grows "
        "as the gap shrinks, in a straight line of slope minus one. For ZCA it is flat.",
    )
