"""The paper's Figure 1, done again: accuracy at each side's best rate, and what a last-layer sigmoid is given."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.experiments.statistics import Interval, interval
from bncourse.plots.looks import NORMS, curves
from bncourse.plots.style import DIRECT, LINES, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

SIDES = ("none", "batch")


def draw(result: Result) -> Drawing:
    """Test accuracy against steps: the whole run on a logarithmic scale, and its later part close up."""
    last, words = [], []
    with style():
        figure = Figure(figsize=(WIDTH, 5.6))
        whole, late = figure.subplots(2, 1)
        for norm in SIDES:
            chosen = {"part": "reported", "norm": norm, "written": "numpy"}
            steps = result.values("steps", **chosen)[0]
            runs = 100 * result.values("accuracy", **chosen)
            begun, settled = steps > 0, steps >= steps[-1] / 10
            curves(whole, steps[begun], runs[:, begun], NORMS[norm])
            curves(late, steps[settled], runs[:, settled], NORMS[norm])
            last.append(runs[:, settled])
            half_way = int(np.searchsorted(steps, steps[-1] / 50))
            words.append(
                f"{NORMS[norm].name} {runs[:, half_way].mean():.1f} at step {steps[half_way]:.0f} "
                f"and {runs[:, -1].mean():.1f} at the end"
            )
        whole.set(xscale="log", ylim=(0, 102), ylabel="test accuracy (%)", title="the whole run")
        whole.set_xlabel("step")
        lowest, highest = min(runs.min() for runs in last), max(runs.max() for runs in last)
        margin = 0.08 * (highest - lowest)
        late.set(ylim=(lowest - margin, highest + margin), ylabel="test accuracy (%)", title="close up")
        late.set_xlabel("step")
        figure.legend(*whole.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(
        figure, f"Mean test accuracy in percent over the seeds, with each seed as a thin line: {'; '.join(words)}."
    )


def percentiles(result: Result, seed: int = 0) -> Drawing:
    """The 15th, 50th and 85th percentile of what the last hidden layer's first sigmoid is given, for one seed."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 5.0))
        axes = figure.subplots(2, 1, sharex=True)
        for axis, norm in zip(axes, SIDES, strict=True):
            chosen = {"part": "reported", "norm": norm, "written": "numpy"}
            place = sorted(set(result.config["seeds"])).index(seed)
            steps, inputs = result.values("steps", **chosen)[0], result.values("percentiles", **chosen)[place]
            axis.fill_between(steps, inputs[:, 0], inputs[:, 2], color=DIRECT, alpha=0.12, lw=0)
            for column, (name, color) in enumerate((("85th", VARIANCE), ("50th", DIRECT), ("15th", TOTAL))):
                axis.plot(steps, inputs[:, 2 - column], ls=LINES[color], color=color, label=f"{name} percentile")
            axis.set(title=NORMS[norm].name, ylabel="sigmoid's input")
            low, middle, high = inputs.min(axis=0)[0], inputs[-1, 1], inputs.max(axis=0)[2]
            words.append(f"{NORMS[norm].name} between {low:.1f} and {high:.1f}, the median ending at {middle:.1f}")
        axes[-1].set_xlabel("step")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(figure, f"Percentiles of one sigmoid's input over the steps, seed {seed}: {'; '.join(words)}.")


def tuning(result: Result) -> Drawing:
    """Errors on the held-out pictures against the rate, at the end of tuning; the chosen rates are marked."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        for norm in SIDES:
            look, chosen = NORMS[norm], {"part": "tuning", "norm": norm}
            rates = [float(rate) for rate in result.config["rates"]]
            runs = 100 - 100 * np.array(
                [result.values("held_out", rate=rate, **chosen) for rate in rates]
            )  # (rates, seeds)
            for column in runs.T:
                axis.plot(rates, column, ".", color=look.color, ms=5, alpha=0.6)
            means = runs.mean(axis=1)
            axis.plot(rates, means, look.marker, ls=look.line, color=look.color, label=look.name)
            best = rates[int(means.argmin())]
            axis.plot(best, means.min(), "o", ms=15, mfc="none", color=look.color)
            words.append(f"{look.name} best at {best:g} with {means.min():.2f}")
        axis.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="held-out error (%)")
        axis.set_xticks(rates, [f"{rate:g}" for rate in rates])
        axis.set_yticks([2, 5, 10, 20, 50, 90], ["2", "5", "10", "20", "50", "90"])
        axis.minorticks_off()
        axis.legend(loc="upper center")
    return finish(figure, f"Error on held-out pictures against the learning rate, in percent: {'; '.join(words)}.")


def steps_until(result: Result, norm: str, accuracy: float) -> str:
    """Say after how many steps each seed first reads at least this test accuracy: mean and 95 % interval.

    The steps are those at which a run was looked at, so the answer is late by up to the distance between two.
    """
    chosen = {"part": "reported", "norm": norm, "written": "numpy"}
    steps, runs = result.values("steps", **chosen)[0], result.values("accuracy", **chosen)
    first = [steps[run >= accuracy][0] if (run >= accuracy).any() else np.nan for run in runs]
    if np.isnan(first).any():
        return f"never in {int(np.isnan(first).sum())} of {len(first)} seeds"
    found = interval(first)
    return f"{found.mean:,.0f} in all seeds" if found.empty else f"{found.mean:,.0f} ± {found.half:,.0f}"


def travel(result: Result, norm: str, *, after: float, until: float) -> Interval:
    """Say how far the median of the first sigmoid's input moves between two steps, in widths.

    A width is the distance between the 15th and the 85th percentile at the end of each move from look to look.
    """
    chosen = {"part": "reported", "norm": norm, "written": "numpy"}
    steps, runs = result.values("steps", **chosen)[0], result.values("percentiles", **chosen)
    widths = runs[:, 1:, 2] - runs[:, 1:, 0]
    moves = np.abs(np.diff(runs[:, :, 1], axis=1)) / widths
    return interval(moves[:, (steps[1:] > after) & (steps[1:] <= until)].sum(axis=1))
