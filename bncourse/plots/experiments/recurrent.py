"""Recurrent networks: the blank start before training, accuracy of each start of gamma, statistics by time step."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.experiments.statistics import interval
from bncourse.plots.looks import Look, curves, seeds
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, WIDTH, Drawing, finish, style
from bncourse.plots.tables import Numbers

LOOKS = {
    "none": Look("none", MUTED, "v", ":"),
    "batch": Look("batch norm", MEAN, "s", LINES[MEAN]),
    "layer": Look("layer norm", DIRECT, "o", LINES[DIRECT]),
}
READ = {
    "accuracy": "recomputed, per step",
    "moving_accuracy": "moving averages",
    "pooled_accuracy": "recomputed, one for all steps",
    "batch_accuracy": "test batch",
}
"""The four ways of reading a trained network."""


def arms(result: Result) -> list[dict[str, object]]:
    """Return the labels of the trained networks."""
    names = ("cell", "norm", "gamma")
    return [{n: c[n] for n in names} for c in result.conditions() if c["part"] == "reported"]


def named(arm: dict[str, object]) -> str:
    """Name a trained network."""
    cell = {"lstm": "LSTM", "tanh": "tanh"}[str(arm["cell"])]
    return f"{cell}, no norm" if arm["norm"] == "none" else f"{cell}, {arm['norm']}, gamma {arm['gamma']:g}"


def draw(result: Result) -> Drawing:
    """Test accuracy of every trained network at its own best learning rate, with recomputed statistics."""
    words, places = [], arms(result)
    with style():
        figure = Figure(figsize=(WIDTH, 1.0 + 0.5 * len(places)))
        axis = figure.subplots()
        for place, arm in enumerate(places):
            values = 100 * result.values("accuracy", part="reported", **arm)  # type: ignore[arg-type]
            seeds(axis, place, values, LOOKS[str(arm["norm"])], lying=True)
            words.append(f"{named(arm)} {values.mean():.1f}")
        axis.set(yticks=range(len(places)), yticklabels=[named(arm) for arm in places], xlabel="test accuracy (%)")
        axis.set_ylim(len(places) - 0.5, -0.5)
    return finish(figure, f"Test accuracy in percent, statistics recomputed: {'; '.join(words)}.")


def table(result: Result) -> Numbers:
    """Test accuracy of every trained network, read in four ways."""
    body, counts = [], {}
    for arm in arms(result):
        cells = []
        for name in READ:
            if arm["norm"] == "batch" or name == "accuracy":
                found = interval(100 * result.values(name, part="reported", **arm))  # type: ignore[arg-type]
                cells.append(found.said(1))
                counts[str(arm["cell"])] = found.seeds
            else:  # nothing is stored, so all ways are one
                cells.append("")
        body.append((named(arm), *cells))
    said = ", ".join(f"{count} for {cell}" for cell, count in counts.items())
    return Numbers(("network", *READ.values()), tuple(body), f"Mean and 95 % interval; seeds: {said}.")


def blank(result: Result, cell: str = "lstm") -> Drawing:
    """The gradient at the hidden state of every row, before training, from a blank start and from a noisy one."""
    words = []
    colors = {0.1: (MEAN, "s", LINES[MEAN]), 1.0: (TOTAL, "^", LINES[TOTAL])}
    with style():
        figure = Figure(figsize=(WIDTH, 5.6))
        axes = figure.subplots(2, 1, sharex=True)
        for axis, norm in zip(axes, ("batch", "layer"), strict=True):
            for gamma in result.config["gammas"]:
                for noise in result.config["noises"]:
                    where = {"part": "start", "cell": cell, "norm": norm, "gamma": gamma, "noise": noise}
                    runs = result.values("gradient", **where)
                    median = np.where(np.isfinite(runs).all(0), np.median(runs, axis=0), np.nan)
                    color, marker, line = colors[gamma]
                    axis.plot(median, marker, ls=line, color=color, ms=5, markevery=3, mfc=color if noise else "none")
                    first = f"{np.median(runs[:, 0]):.2g}" if np.isfinite(runs[:, 0]).all() else "no number"
                    words.append(f"{norm} norm, gamma {gamma:g}, noise {noise:g}: {first}")
            axis.set(yscale="log", ylabel="gradient / last row's", title=f"{norm} norm")
        axes[-1].set_xlabel("row of the picture")
        for gamma, (color, marker, _) in colors.items():
            axes[0].plot([], [], marker, color=color, label=f"gamma {gamma:g}")
        axes[0].plot([], [], "o", color=INK, mfc="none", label="blank start")
        axes[0].plot([], [], "o", color=INK, label="noise of 0.1")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(
        figure,
        "Norm of the gradient at the hidden state of each row before training, relative to the last row's. At the "
        f"first row, median over seeds: {'; '.join(words)}.",
    )


def by_step(result: Result) -> Drawing:
    """Recomputed statistics of what comes from the hidden state, by time step, for each start of gamma."""
    words = []
    colors = (Look("", MEAN, "s", LINES[MEAN]), Look("", DIRECT, "o", LINES[DIRECT]))
    with style():
        figure = Figure(figsize=(WIDTH, 4.6))
        axes = figure.subplots(2, 1, sharex=True)
        names = (("std_by_step", "standard deviation"), ("mean_by_step", "size of the mean"))
        for axis, (name, title) in zip(axes, names, strict=True):
            for gamma, look in zip(result.config["gammas"], colors, strict=False):
                runs = result.values(name, part="reported", cell="lstm", norm="batch", gamma=gamma)
                curves(axis, np.arange(runs.shape[1]), runs, look._replace(name=f"gamma from {gamma:g}"))
                means = runs.mean(axis=0)
                words.append(f"{title}, gamma from {gamma:g}: {means[0]:.2f}, {means[1]:.2f}, ..., {means[-1]:.2f}")
            axis.set(ylabel=title, ylim=(0, None))
        axes[-1].set_xlabel("time step (row of the picture)")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Statistics of the hidden sums by time step. {'; '.join(words)}.")
