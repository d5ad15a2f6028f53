"""Pictures of the part on gradients: what arrives at each sample, and by which path."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.numpy_bn import Gradients, Stages
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def three_paths(x: Array, gradients: Gradients, stages: Stages, *, channel: int = 0) -> Drawing:
    """Draw, sample by sample, the three parts of dx and their sum.

    Parameters
    ----------
    x : array of shape (N, C)
        The batch; samples stand on the horizontal axis at their values.
    gradients, stages
        From `batch_norm_backward_staged`.
    channel : int
        The feature that is drawn.

    Returns
    -------
    Drawing
    """
    x_of = x[:, channel]
    parts = [
        ("direct", stages.dx_direct[:, channel], DIRECT),
        ("through the mean", stages.dx_through_mean[:, channel], MEAN),
        ("through the variance", stages.dx_through_var[:, channel], VARIANCE),
        ("dx, their sum", gradients.dx[:, channel], TOTAL),
    ]
    largest = max(float(np.abs(values).max()) for _, values, _ in parts)
    with style():
        figure = Figure(figsize=(WIDTH, 4.6))
        axes = figure.subplots(4, 1, sharex=True, sharey=True)
        for ax, (name, values, color) in zip(axes, parts, strict=True):
            ax.axhline(0.0, color=INK, linewidth=0.8, linestyle="-")
            ax.vlines(x_of, 0.0, values, color=color, linewidth=3.0, linestyle=LINES[color])
            ax.plot(x_of, values, "o", color=color, markersize=5.5, linestyle="none")
            ax.set_title(f"{name}: they add up to {values.sum():.3f}".replace("-0.000", "0.000"), color=color)
            ax.set_ylim(-1.25 * largest, 1.25 * largest)
            ax.grid(visible=False, axis="x")
        axes[-1].set_xlabel("value of the sample, x")
    described = "; ".join(f"{name} {np.round(values, 3).tolist()}" for name, values, _ in parts)
    alt = f"Four stem plots over the samples x = {np.round(x_of, 2).tolist()}. {described}."
    return finish(figure, alt)
