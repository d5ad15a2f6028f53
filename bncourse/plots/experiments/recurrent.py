"""Recurrent networks: accuracy of each normalization, and how a hidden state's statistics move with time."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, curves, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, TOTAL, WIDTH, Drawing, finish, style

LOOKS = {
    "none": Look("none", MUTED, "v", ":"),
    "per step": Look("statistics per step", MEAN, "s", LINES[MEAN]),
    "one for all": Look("one for all steps", TOTAL, "^", LINES[TOTAL]),
    "layer": Look("layer norm", DIRECT, "o", LINES[DIRECT]),
}


def draw(result: Result) -> Drawing:
    """Test accuracy in inference mode for each normalization, one group for each start of gamma."""
    words = []
    gammas = result.config["gammas"]
    with style():
        figure = Figure(figsize=(WIDTH, 3.8))
        axis = figure.subplots()
        values = 100 * result.values("accuracy", norm="none")
        seeds(axis, 0, values, LOOKS["none"])
        words.append(f"without normalization {values.mean():.1f}")
        for group, gamma in enumerate(gammas, start=1):
            for number, norm in enumerate(("per step", "one for all", "layer")):
                values = 100 * result.values("accuracy", norm=norm, gamma=gamma)
                seeds(axis, group + 0.26 * (number - 1), values, LOOKS[norm])
                words.append(f"{LOOKS[norm].name} from gamma {gamma:g} {values.mean():.1f}")
        axis.set_xticks(np.arange(len(gammas) + 1), ["no norm", *(f"gamma starts at {gamma:g}" for gamma in gammas)])
        axis.set(ylabel="test accuracy (%)", xlim=(-0.5, len(gammas) + 0.5))
        axis.grid(visible=False, axis="x")
        for look in LOOKS.values():
            axis.plot([], [], look.marker, color=look.color, label=look.name)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Test accuracy in percent: {'; '.join(words)}.")


def learning(result: Result, gamma: float = 0.1) -> Drawing:
    """Training loss over the steps; per step and one for all train alike, so they are one line."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        for norm in ("none", "per step", "layer"):
            chosen = {"norm": norm} if norm == "none" else {"norm": norm, "gamma": gamma}
            runs = result.values("losses", **chosen)
            look = LOOKS[norm] if norm != "per step" else LOOKS[norm]._replace(name="batch norm")
            steps = result.config["steps"] * (np.arange(runs.shape[1]) + 0.5) / runs.shape[1]
            curves(axis, steps, runs, look)
            words.append(f"{look.name} ends at {runs[:, -1].mean():.2f}")
        axis.set(xlabel="step", ylabel="training loss", ylim=(0, None), title=f"gamma starts at {gamma:g}")
        figure.legend(loc="outside lower center", ncols=3)
    return finish(figure, f"Training loss over the steps with gamma from {gamma:g}: {'; '.join(words)}.")


def by_step(result: Result) -> Drawing:
    """Stored statistics of what comes from the hidden state, by time step, for each start of gamma."""
    words = []
    colors = (Look("", MEAN, "s", LINES[MEAN]), Look("", DIRECT, "o", LINES[DIRECT]))
    with style():
        figure = Figure(figsize=(WIDTH, 4.6))
        axes = figure.subplots(2, 1, sharex=True)
        names = (("std_by_step", "standard deviation"), ("mean_by_step", "size of the mean"))
        for axis, (name, title) in zip(axes, names, strict=True):
            for gamma, look in zip(result.config["gammas"], colors, strict=False):
                runs = result.values(name, norm="per step", gamma=gamma)
                curves(axis, np.arange(runs.shape[1]), runs, look._replace(name=f"gamma from {gamma:g}"))
                means = runs.mean(axis=0)
                words.append(f"{title}, gamma from {gamma:g}: {means[0]:.2f}, {means[1]:.2f}, ..., {means[-1]:.2f}")
            axis.set(ylabel=title, ylim=(0, None))
        axes[-1].set_xlabel("time step (row of the picture)")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Running statistics of the hidden sums by time step. {'; '.join(words)}.")
