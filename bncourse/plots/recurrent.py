"""Figures of the chapter on recurrent nets."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Array
from bncourse.plots.looks import Look, curves, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

COLORS = (MEAN, DIRECT, VARIANCE, TOTAL, MUTED)
MARKERS = "soD^v"


def by_step(spread: Mapping[str, Array]) -> Drawing:
    """Draw the standard deviation of what is normalized against the time step, by its name and for every seed."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        for (name, runs), color, marker in zip(spread.items(), COLORS, MARKERS, strict=False):
            curves(axis, np.arange(runs.shape[1]), runs, Look(name, color, marker, LINES.get(color, ":")))
            means = runs.mean(axis=0)
            words.append(f"{name} {means[0]:.2f}, {means[1]:.2f}, ..., {means[-1]:.2f}")
        axis.set(xlabel="time step (row of the picture)", ylabel="standard deviation", ylim=(0, None))
        figure.legend(loc="outside lower center", ncols=len(spread))
    return finish(figure, f"Standard deviations by time step: {'; '.join(words)}.")


def same_weights(accuracy: Mapping[str, Array]) -> Drawing:
    """Draw the accuracy of the same trained networks with other statistics, every seed."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.0))
        axis = figure.subplots()
        for place, (name, values) in enumerate(accuracy.items()):
            seeds(axis, place, 100 * values, Look(name, COLORS[place % 5], MARKERS[place % 5], "-"))
            words.append(f"{name} {100 * values.mean():.1f}")
        axis.set_xticks(np.arange(len(accuracy)), [name.replace(" ", "\n", 1) for name in accuracy])
        axis.set(ylabel="test accuracy (%)", ylim=(0, 102), xlim=(-0.5, len(accuracy) - 0.4))
        axis.grid(visible=False, axis="x")
    return finish(figure, f"Test accuracy in percent of the same networks with other statistics: {'; '.join(words)}.")


def through_time(gradients: Mapping[str, Mapping[str, Array]]) -> Drawing:
    """Draw the gradient's norm on its way back through time: one panel an input, one line a start of gamma."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 0.6 + 2.4 * len(gradients)))
        axes = np.atleast_1d(figure.subplots(len(gradients), 1, sharex=True))
        for axis, (title, by_gamma) in zip(axes, gradients.items(), strict=True):
            for (name, runs), color, marker in zip(by_gamma.items(), COLORS, MARKERS, strict=False):
                back = runs.shape[1] - 1 - np.arange(runs.shape[1])
                axis.plot(back, runs.T, "-", color=color, lw=0.6, alpha=0.45)
                mean = np.exp(np.log(runs).mean(axis=0))
                every = max(1, len(back) // 6)
                axis.plot(back, mean, marker, ls=LINES.get(color, ":"), color=color, ms=5, markevery=every, label=name)
                words.append(f"{title}, {name}: {mean[0]:.2g} at {back[0]} steps back")
            axis.set(yscale="log", ylabel="gradient / at the end", title=title)
        axes[-1].set_xlabel("steps back in time")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(
        figure, f"Norm of the gradient for the hidden state, relative to the last step's: {'; '.join(words)}."
    )
