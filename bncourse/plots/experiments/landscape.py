"""Smoothness along the gradient: each measure with batch norm, divided by the same without it."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Array, Result
from bncourse.experiments.statistics import Interval, interval
from bncourse.plots.looks import NORMS, curves
from bncourse.plots.style import INK, MEAN, TOTAL, WIDTH, Drawing, finish, style

MEASURES = {
    "loss_spread": "loss varies by",
    "gradient_change": "gradient\nchanges by",
    "relative_gradient_change": "... relative\nto its size",
    "beta": "smoothness\nbeta",
    "relative_beta": "beta, scaled\nby weights",
}
LOOKS = ((MEAN, "s", -0.16), (TOTAL, "^", 0.16))


def ratio(result: Result, name: str, rate: float) -> Array:
    """Seed by seed, with batch norm over without."""
    found: Array = result.values(name, norm="batch", rate=rate) / result.values(name, norm="none", rate=rate)
    return found


def mean_ratio(result: Result, name: str, rate: float) -> Interval:
    """Geometric mean of the ratio and its 95 % interval: twice and half are equally far from 1."""
    found = interval(np.log(ratio(result, name, rate)))
    mean, low, high = (float(np.exp(value)) for value in found[:3])
    return Interval(mean, low, high, found.seeds)


def draw(result: Result) -> Drawing:
    """Every measure's ratio on a logarithmic axis, at each rate; left of 1 batch norm is the smoother."""
    words = []
    rates = result.labels("rate")
    with style():
        figure = Figure(figsize=(WIDTH, 4.2))
        axis = figure.subplots()
        axis.axvline(1, color=INK, lw=1.2)
        for rate, (color, marker, offset) in zip(rates, LOOKS, strict=False):
            for place, name in enumerate(MEASURES):
                found = mean_ratio(result, name, float(rate))
                seeds = ratio(result, name, float(rate))
                axis.plot(seeds, np.full(len(seeds), place + offset + 0.13), ".", color=color, ms=4, alpha=0.6)
                if found.seeds > 1:
                    axis.plot([found.low, found.high], [place + offset] * 2, "-", color=color, lw=1.4)
                axis.plot(found.mean, place + offset, marker, color=color, ms=7)
                words.append(f"{MEASURES[name].replace(chr(10), ' ')} {found.mean:.2f} at rate {rate:g}")
            axis.plot([], [], marker, color=color, label=f"rate {rate:g}")
        axis.set_yticks(np.arange(len(MEASURES)), list(MEASURES.values()))
        axis.set(ylim=(len(MEASURES) - 0.5, -0.5), xscale="log", xlabel="with batch norm / without")
        axis.set_xticks([0.25, 0.5, 1, 2, 4], ["1/4", "1/2", "1", "2", "4"])
        axis.set_xlim(0.25, 4)
        axis.minorticks_off()
        for x, words_above in ((0.0, "← smoother with batch norm"), (1.0, "rougher →")):
            axis.text(x, 1.02, words_above, ha="right" if x else "left", va="bottom", transform=axis.transAxes)
        figure.legend(loc="outside lower center", ncols=2)
    return finish(figure, f"Ratios of five measures of roughness, with batch norm over without: {'; '.join(words)}.")


def over_steps(result: Result, name: str = "beta") -> Drawing:
    """One measure while the networks learn: one panel a rate."""
    words = []
    rates = result.labels("rate")
    with style():
        figure = Figure(figsize=(WIDTH, 2.5 * len(rates)))
        axes = np.atleast_1d(figure.subplots(len(rates), 1, sharex=True))
        for axis, rate in zip(axes, rates, strict=True):
            for norm in ("none", "batch"):
                runs = result.values(f"{name}_curve", norm=norm, rate=rate)
                curves(axis, result.config["every"] * np.arange(1, runs.shape[1] + 1), runs, NORMS[norm])
                first, last = runs[:, :5].mean(), runs[:, -5:].mean()
                words.append(f"{NORMS[norm].name} at rate {rate:g} from {first:.2g} to {last:.2g}")
            axis.set(ylabel=name.replace("_", " "), title=f"rate {rate:g}", ylim=(0, None))
        axes[-1].set_xlabel("step")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"{name.replace('_', ' ')} over the steps: {'; '.join(words)}.")
