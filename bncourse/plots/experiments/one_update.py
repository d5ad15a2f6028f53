"""One update of all layers: higher orders in a chain of scalars, and how much of its promise a network keeps."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Array, Label, Result
from bncourse.plots.experiments.depth import LOOKS
from bncourse.plots.looks import NORMS, seeds
from bncourse.plots.style import INK, WIDTH, Drawing, finish, style
from bncourse.plots.tables import Numbers


def draw(result: Result) -> Drawing:
    """Above, a chain's higher orders beside its first; below, the share of the promise that a network keeps."""
    depths = [int(depth) for depth in result.config["chain_depths"]]
    rate = float(min(result.config["rates"]))
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 7.4))
        above, below = figure.subplots(2, 1)
        for norm in ("none", "batch"):
            means = []
            for depth in depths:
                runs = higher(result, norm, depth)
                seeds(above, depth * (1.04 if norm == "batch" else 0.96), runs, NORMS[norm])
                means.append(runs.mean())
            above.plot(depths, means, ls=NORMS[norm].line, color=NORMS[norm].color, label=NORMS[norm].name, lw=1)
            words.append(
                f"chain {NORMS[norm].name}: {means[0]:.2f} at {depths[0]} layers, {means[-1]:.2g} at {depths[-1]}"
            )
        above.axhline(1.0, color=INK, lw=1, ls=(0, (1, 3)))
        above.set(xscale="log", title="chain of scalars", ylabel="higher orders / first order", xlabel="layers")
        above.set_xticks(depths, [str(depth) for depth in depths])
        above.minorticks_off()
        above.legend(loc="upper left")
        words += _networks(below, result, rate)
        below.set(ylim=(-0.1, 1.05), ylabel="loss decrease / first order's", xlabel="blocks of the network")
        below.set_title(f"networks at the start, one step at rate {rate:g}")
        figure.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(
        figure,
        "Above, what one update of all layers changes beyond the first order, in a chain of scalars. Below, the share "
        f"of the loss decrease promised by the gradient that one step keeps, median over seeds. {'; '.join(words)}.",
    )


def _networks(axis: Any, result: Result, rate: float) -> list[str]:
    depths, arms = [int(depth) for depth in result.config["depths"]], [tuple(arm) for arm in result.config["arms"]]
    words = []
    for number, (shape, norm) in enumerate(arms):
        look, filled = LOOKS[norm], LOOKS[norm].color if shape == "residual" else "none"
        medians = [float(np.median(kept(result, shape, norm, depth, rate))) for depth in depths]
        places = np.arange(len(depths)) + 0.07 * (number - (len(arms) - 1) / 2)
        axis.plot(places, medians, look.marker, color=look.color, mfc=filled, ms=6)
        said = ", ".join(
            f"{v:.2f} at {d}" if np.isfinite(v) else f"no number at {d}" for v, d in zip(medians, depths, strict=True)
        )
        words.append(f"{shape}, {look.name}: {said}")
    axis.plot([], [], "o", color=INK, label="residual")
    axis.plot([], [], "o", color=INK, mfc="none", label="plain")
    for norm in dict.fromkeys(norm for _, norm in arms):
        axis.plot([], [], LOOKS[norm].marker, color=LOOKS[norm].color, label=LOOKS[norm].name)
    axis.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    return words


def higher(result: Result, norm: str, depth: int) -> Array:
    """Return the change of higher order of a chain, divided by the change of first order, seed by seed."""
    first, rest = (result.values(name, part="chain", norm=norm, depth=depth) for name in ("first", "higher"))
    return np.asarray(rest / first)


def kept(result: Result, shape: str, norm: str, depth: int, rate: float) -> Array:
    """Return the loss's change by one step, divided by what the gradient promised; NaN where the loss is no number."""
    return result.values("kept", part="network", shape=shape, norm=norm, depth=depth, rate=rate)


def output(result: Result, shape: str, norm: str, depth: int, rate: float) -> Array:
    """Return the output's change of higher order, divided by that of first order; NaN where one is no number."""
    where: dict[str, Label] = {"part": "network", "shape": shape, "norm": norm, "depth": depth, "rate": rate}
    first, rest = (result.values(name, **where) for name in ("output_first", "output_higher"))
    return np.asarray(rest / first)


MEASURES = {
    "loss": (kept, "Share of the loss decrease promised to first order that one step keeps"),
    "output": (output, "Change of the output of higher order, divided by that of first order"),
}


def table(result: Result, of: str = "loss") -> Numbers:
    """One step of every network, looked at in its loss or in its output; the median and the range of the seeds."""
    rate = float(min(result.config["rates"]))
    measured, what = MEASURES[of]
    body = []
    for shape, norm in (tuple(arm) for arm in result.config["arms"]):
        cells = []
        for depth in result.config["depths"]:
            runs = measured(result, shape, norm, int(depth), rate)
            finite = np.isfinite(runs).all()
            cells.append(f"{np.median(runs):.2g} ({runs.min():.2g} to {runs.max():.2g})" if finite else "no number")
        body.append((shape, LOOKS[norm].name, *cells))
    header = ("shape", "normalization", *(f"{depth} blocks" for depth in result.config["depths"]))
    count = len(result.config["seeds"])
    return Numbers(header, tuple(body), f"{what}: median and range of {count} seeds, learning rate {rate:g}.")
