"""Accuracy at each learning rate of the grid, with what diverged shown as such; and the range test."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Array, Result
from bncourse.plots.looks import NORMS, Look, seeds
from bncourse.plots.style import INK, MUTED, WIDTH, Drawing, finish, style

GUESS = 100 / 10
"""Accuracy of a guess among ten digits, in percent."""


def draw(result: Result) -> Drawing:
    """Test accuracy against the learning rate; below, how many seeds diverged or learned nothing."""
    rates = [float(rate) for rate in result.config["grid_rates"]]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 4.6))
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1.2])
        for row, norm in enumerate(result.config["norms"]):
            look, means = NORMS[norm], []
            for rate in rates:
                chosen = {"part": "grid", "norm": norm, "rate": rate}
                runs = 100 * result.values("accuracy", **chosen)
                seeds(above, rate, runs, look)
                means.append(runs.mean())
                outcomes(below, rate, row, result.values("failed", **chosen), result.values("diverged", **chosen), look)
            above.plot(rates, means, ls=look.line, color=look.color, label=look.name)
            said = ", ".join(f"{mean:.1f} at {rate:g}" for rate, mean in zip(rates, means, strict=True))
            words.append(f"{look.name} {said}, {_losses(result, norm, rates)}")
        guess_line(above, GUESS, at=0.02)
        above.set(xscale="log", ylim=(0, 103), ylabel="test accuracy (%)")
        names = [NORMS[norm].name for norm in result.config["norms"]]
        below.set(xlabel="learning rate", yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.4, -0.6))
        below.grid(visible=False, axis="y")
        handles = [marks(below, mark) for mark in ("X", "o")]
        figure.legend(
            [*above.get_legend_handles_labels()[0], *handles],
            [*names, "diverged", "learned nothing"],
            loc="outside lower center",
            ncols=2,
        )
    return finish(figure, f"Mean test accuracy in percent against the learning rate: {'; '.join(words)}.")


def guess_line(axis: Any, level: float, *, at: float | None = None) -> None:
    """Draw the level of a guess, with its name at that fraction of the width."""
    axis.axhline(level, color=INK, lw=1, ls=(0, (1, 3)))
    if at is not None:
        place = {"xycoords": ("axes fraction", "data"), "xytext": (0, 4), "textcoords": "offset points"}
        axis.annotate("a guess", (at, level), color=INK, **place)


def outcomes(axis: Any, rate: float, row: int, failed: Array, diverged: Array, look: Look) -> None:
    """Mark how many of the seeds came to nothing at this rate: crosses diverged, rings learned nothing."""
    lost, idle = int(diverged.sum()), int((failed * (1 - diverged)).sum())
    for count, mark, shift in ((lost, "X", -0.16), (idle, "o", 0.2)):
        if count:
            y = row + (shift if lost and idle else 0)
            axis.plot(rate, y, mark, color=look.color, mfc=look.color if mark == "X" else "none", ms=7)
            axis.annotate(
                f"{count}", (rate, y), xytext=(6, -4), textcoords="offset points", color=look.color, fontsize=11
            )


def marks(axis: Any, mark: str) -> Any:
    """Return a handle for the legend that is drawn nowhere else."""
    return axis.plot([], [], mark, color=MUTED, mfc=MUTED if mark == "X" else "none", ls="none", ms=7)[0]


def _losses(result: Result, norm: str, rates: list[float]) -> str:
    """Say from which rate on every seed comes to nothing."""
    dead = [rate for rate in rates if result.values("failed", part="grid", norm=norm, rate=rate).min() == 1]
    return f"no seed learning at {', '.join(f'{rate:g}' for rate in dead)}" if dead else "learning at every rate"


def range_test(result: Result) -> Drawing:
    """Loss of one short run whose rate grows at every step, for every seed."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        for norm in result.config["norms"]:
            look, chosen = NORMS[norm], {"part": "range", "norm": norm}
            rates, losses = result.values("rates", **chosen)[0], result.values("range_losses", **chosen)
            for run in losses:
                axis.plot(rates, run, "-", color=look.color, lw=0.6, alpha=0.45)
            middle = np.median(np.where(np.isfinite(losses), losses, np.inf), axis=0)
            axis.plot(
                rates, np.where(np.isfinite(middle), middle, np.nan), ls=look.line, color=look.color, label=look.name
            )
            lowest = int(np.argmin(middle))
            words.append(f"{look.name} lowest at a rate of {rates[lowest]:.2g} with {middle[lowest]:.2f}")
        guess_line(axis, float(np.log(10)), at=0.88)
        axis.set(xscale="log", ylim=(0, 4), xlabel="learning rate, growing with every step", ylabel="batch loss (nats)")
        axis.legend(loc="lower left")
    return finish(figure, f"Loss against a growing learning rate, median of the seeds: {'; '.join(words)}.")
