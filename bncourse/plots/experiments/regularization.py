"""Batch norm beside dropout and L2, L2 in its disguise, and the noise against the batch size."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Array, Label, Result
from bncourse.experiments.tuning import rate_of
from bncourse.plots.looks import NORMS, seeds
from bncourse.plots.style import INK, MEAN, MUTED, WIDTH, Drawing, finish, style
from bncourse.plots.tables import Numbers


def draw(result: Result) -> Drawing:
    """Test accuracy against weight decay, a panel for each share of dropout."""
    decays, dropouts = [float(decay) for decay in result.labels("decay")], result.labels("dropout")
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 1.0 + 1.9 * len(dropouts)))
        axes = figure.subplots(len(dropouts), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axis, dropout in zip(axes, dropouts, strict=True):
            for norm, shift in (("none", -0.12), ("batch", 0.12)):
                means = []
                for place, decay in enumerate(decays):
                    runs = 100 * result.values("accuracy", part="reported", norm=norm, dropout=dropout, decay=decay)
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


def disguise(result: Result) -> Numbers:
    """Tabulate what L2 on some of the parameters changes against L2 on none, seed by seed; and what a rate changes."""
    base = {"part": "disguise", "decayed": "nowhere"}
    rate, decay = result.config["disguise_rate"], result.config["disguise_decay"]
    rows = [(f"L2 of {decay:g} {w}", f"{rate:g}", base | {"decayed": w}) for w in result.config["decayed"][1:]]
    rows.append(("no L2, its own best rate", f"{rate_of(result, decayed='nowhere'):g}", OWN_RATE))
    body = []
    for name, at, arm in [("no L2", f"{rate:g}", base), *rows]:
        here = 100 * result.values("accuracy", **arm)
        gained = "" if arm == base else median_and_range(100 * disguised(result, arm), signed=True)
        body.append((name, at, median_and_range(here), gained))
    header = ("network with batch norm", "learning rate", "test accuracy (%)", "points above no L2 at the same rate")
    count = len(result.config["disguise_seeds"])
    return Numbers(header, tuple(body), f"Median and range of {count} seeds; differences seed by seed.")


OWN_RATE = {"part": "reported", "decayed": "nowhere"}
"""No L2, at the learning rate that is best for it."""


def disguised(result: Result, arm: Mapping[str, Label]) -> Array:
    """Return the accuracy of an arm less that of no L2 at the common learning rate, seed by seed."""
    base = result.values("accuracy", part="disguise", decayed="nowhere")
    return np.asarray(result.values("accuracy", **arm) - base)


def median_and_range(values: Array, *, signed: bool = False) -> str:
    """Say a median with the smallest and the largest value: one run that fails should be seen, not averaged in.

    >>> median_and_range(np.array([1.0, 2.0, 9.0]), signed=True)
    '+2.0 (+1.0 to +9.0)'
    """
    sign = "+" if signed else ""
    middle, low, high = (f"{value:{sign}.1f}" for value in (np.median(values), values.min(), values.max()))
    return f"{middle} ({low} to {high})"


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
