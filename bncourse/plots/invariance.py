"""Pictures of weights whose size does not matter: their norm, the loss, and what eps spoils."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.scale_invariance import Trajectory
from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]
COLORS = (DIRECT, MEAN, VARIANCE, TOTAL)


def weight_norms(runs: Mapping[str, Trajectory]) -> Drawing:
    """Draw the norm of the weights above the loss, step by step, one line a run.

    Parameters
    ----------
    runs : mapping
        Trajectories by name, four at most.

    Returns
    -------
    Drawing
    """
    with style():
        figure = Figure(figsize=(WIDTH, 5.2))
        above, below = figure.subplots(2, 1, sharex=True)
        for (name, run), color in zip(runs.items(), COLORS, strict=False):
            steps = np.arange(len(run.norm)) + 1
            above.loglog(steps, run.norm, color=color, linestyle=LINES[color], label=name)
            below.loglog(steps, run.loss, color=color, linestyle=LINES[color])
        above.set_title("size of the weights")
        figure.legend(ncols=4, loc="outside lower center", columnspacing=1.2, handlelength=1.8)
        below.set_title("loss")
        below.set_yticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
        below.minorticks_off()
        below.set_xlabel("step (the first is 1)")
    read = "; ".join(
        f"{name}: size {run.norm[0]:.2f} to {run.norm[-1]:.2f}, loss from {run.loss[0]:.2f} to {run.loss[-1]:.3f}"
        for name, run in runs.items()
    )
    return finish(figure, f"Two panels against the step: the size of the weights, and the loss. {read}.")


def scale_deviation(scales: Array, deviations: Mapping[str, Array]) -> Drawing:
    """Draw how far the rule "gradient times a" is from the truth, against the scale a of the weights.

    Parameters
    ----------
    scales : array
        Factors on the weights.
    deviations : mapping
        Relative deviation for each eps, by name; zeros are left out.

    Returns
    -------
    Drawing
    """
    with style():
        figure = Figure(figsize=(WIDTH, 3.4))
        ax = figure.subplots()
        for (name, values), color in zip(deviations.items(), COLORS, strict=False):
            seen = values > 0
            ax.loglog(scales[seen], values[seen], "o-", color=color, markersize=4, label=name)
        ax.axhline(1.0, color=MUTED, linewidth=0.8, linestyle="-")
        ax.legend(loc="lower left")
        ax.set_xlabel("scale a of the weights")
        ax.set_title("relative deviation of a · gradient at aW from the gradient at W")
    read = "; ".join(
        f"{name}: {values[0]:.1e} at {scales[0]:g}, {values[-1]:.1e} at {scales[-1]:g}"
        for name, values in deviations.items()
    )
    return finish(figure, f"Deviation from scale invariance on logarithmic axes. {read}.")
