"""Batch norm beside dropout and L2, its noise against the batch size, and how far a step turns decayed weights."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS, Look, curves, seeds
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

PAIRS = (
    (DIRECT, "o", LINES[DIRECT]),
    (MEAN, "s", LINES[MEAN]),
    (VARIANCE, "D", LINES[VARIANCE]),
    (TOTAL, "^", LINES[TOTAL]),
    (INK, "P", "-"),
)
"""A color, a marker and a line for each pair of rate and decay."""


def draw(result: Result) -> Drawing:
    """Test accuracy against weight decay, a panel for each share of dropout."""
    decays = [float(decay) for decay in result.labels("decay") if _in_grid(result, decay)]
    dropouts = result.labels("dropout")
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 1.0 + 1.9 * len(dropouts)))
        axes = figure.subplots(len(dropouts), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axis, dropout in zip(axes, dropouts, strict=True):
            for norm, shift in (("none", -0.12), ("batch", 0.12)):
                means = []
                for place, decay in enumerate(decays):
                    runs = 100 * result.values("accuracy", part="grid", norm=norm, dropout=dropout, decay=decay)
                    seeds(axis, place + shift, runs, NORMS[norm])
                    means.append(runs.mean())
                look = NORMS[norm]
                axis.plot(np.arange(len(decays)) + shift, means, ls=look.line, color=look.color, label=look.name, lw=1)
                words.append(f"{look.name}, dropout {dropout:g}: {', '.join(f'{mean:.1f}' for mean in means)}")
            axis.set(title=f"dropout {dropout:g}", ylabel="test accuracy (%)")
        axes[-1].set_xticks(range(len(decays)), [f"{decay:g}" for decay in decays])
        axes[-1].set_xlabel("weight decay (L2)")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    named = ", ".join(f"{decay:g}" for decay in decays)
    return finish(figure, f"Mean test accuracy in percent at the weight decays {named}. {'; '.join(words)}.")


def _in_grid(result: Result, decay: Any) -> bool:
    return any(found.get("part") == "grid" and found.get("decay") == decay for found in result.conditions())


def noise(result: Result) -> Drawing:
    """Spread of one example's normalized value over random batch-mates against the batch size, with two formulas."""
    sizes = np.array([int(size) for size in result.labels("batch_size")])
    runs = np.array([result.values("noise", part="noise", batch_size=int(size)) for size in sizes])
    fine = np.geomspace(sizes[0], sizes[-1], 60)
    with style():
        figure = Figure(figsize=(WIDTH, 3.4))
        axis = figure.subplots()
        axis.loglog(fine, np.sqrt(1.5 / fine), ls="-", lw=1.2, color=INK, label="square root of 1.5 / m")
        axis.plot(sizes, runs.mean(axis=1), "s", ls="none", color=MEAN, label="measured, mean over seeds")
        axis.plot(sizes, runs, "_", ls="none", color=MEAN, ms=11, alpha=0.5)
        for share in (0.5, 0.1):
            level = np.sqrt(share / (1 - share))
            axis.axhline(level, ls=":", lw=1.2, color=MUTED)
            axis.annotate(f"dropout {share:g}", (sizes[-1], level), (0, 3), textcoords="offset points", ha="right")
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.set_yticks([0.1, 0.2, 0.5, 1.0], ["0.1", "0.2", "0.5", "1"])
        axis.minorticks_off()
        axis.set(xlabel="batch size m", ylabel="standard deviation of one value")
        axis.legend(loc="lower left")
    told = ", ".join(f"{mean:.2f} at {size}" for size, mean in zip(sizes, runs.mean(axis=1), strict=True))
    return finish(
        figure,
        f"Standard deviation of one example's normalized value over random batches, on logarithmic axes: {told}. "
        "From 8 on the points lie on the line of the square root of 1.5 / m. Dropout of one half makes a relative "
        "noise of 1.00, dropout of one tenth 0.33.",
    )


def equilibrium(result: Result) -> Drawing:
    """Length of the first layer's weights, and how far a step turns them, for several pairs of rate and decay."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 5.6))
        above, below = figure.subplots(2, 1, sharex=True)
        for (rate, decay), (color, marker, line) in zip(result.config["pairs"], PAIRS, strict=False):
            chosen = {"part": "equilibrium", "rate": rate, "decay": decay}
            look = Look(f"rate {rate:g}, decay {decay:g}", color, marker, line)
            lengths, turns = result.values("lengths", **chosen), result.values("turns", **chosen)
            for axis, found in ((above, lengths), (below, turns)):
                steps = result.config["equilibrium_steps"] * np.linspace(0, 1, found.shape[1], endpoint=False)
                curves(axis, steps, found, look)
            expected = result.values("expected_turn", **chosen)[0]
            below.plot(steps[-1] * 1.03, expected, marker, color=color, ms=6)
            words.append(
                f"{look.name}: length {lengths[:, -1].mean():.1f}, turn {result.values('turn', **chosen).mean():.3f} "
                f"where the formula says {expected:.3f}"
            )
        above.set(yscale="log", ylabel="length of the weights")
        below.set(yscale="log", ylabel="turn per step (radians)", xlabel="step")
        for axis in (above, below):
            axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter(NullFormatter())
        figure.legend(*above.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Two panels of curves against the training step, ending at: {'; '.join(words)}.")
