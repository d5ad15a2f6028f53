"""What batch normalization is for: accuracy against depth; signal, branches and gradient at the start."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.depth import ARMS
from bncourse.experiments.result import Result
from bncourse.experiments.statistics import interval
from bncourse.plots.looks import Look
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style
from bncourse.plots.tables import Numbers

LOOKS = {
    "none": Look("no normalization", MUTED, "v", ":"),
    "batch": Look("batch norm", MEAN, "s", LINES[MEAN]),
    "layer": Look("layer norm", DIRECT, "o", LINES[DIRECT]),
    "skipinit": Look("one scalar from 0", VARIANCE, "D", LINES[VARIANCE]),
    "fixup": Look("Fixup-like", TOTAL, "^", LINES[TOTAL]),
}
PANELS = (
    ("signal", "variance of the signal"),
    ("share", "share of the branch"),
    ("gradient", "gradient / last block's"),
)


def arms(result: Result) -> list[tuple[str, str]]:
    """Return the shapes and normalizations of a run, in the order of the plan."""
    found = {(c["shape"], c["norm"]) for c in result.conditions()}
    return [each for each in ARMS if each in found]


def draw(result: Result) -> Drawing:
    """At the start of the deepest trained residual networks: signal, share and gradient by block; below, accuracy."""
    depths = sorted({int(c["depth"]) for c in result.conditions() if c["part"] == "reported"})
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 9.6))
        axes = figure.subplots(4, 1)
        for shape, norm in arms(result):
            if shape == "residual":
                for axis, (name, _) in zip(axes, PANELS, strict=False):
                    runs = result.values(name, part="start", shape=shape, norm=norm, depth=depths[-1])
                    _by_block(axis, runs, LOOKS[norm])
        for axis, (_, title) in zip(axes, PANELS, strict=False):
            axis.set(ylabel=title, yscale="linear" if title.startswith("share") else "log")
        axes[2].set_xlabel(f"block of a residual network of {depths[-1]} blocks, before training")
        for number, (shape, norm) in enumerate(arms(result)):
            look, means = LOOKS[norm], []
            for position, depth in enumerate(depths):
                values = 100 * result.values("accuracy", part="reported", shape=shape, norm=norm, depth=depth)
                found = interval(values)
                place = position + 0.09 * (number - (len(arms(result)) - 1) / 2)
                axes[3].plot([place] * 2, [found.low, found.high], "-", color=look.color, lw=1.2)
                filled = look.color if shape == "residual" else "none"
                axes[3].plot(place, found.mean, look.marker, color=look.color, mfc=filled, ms=6)
                means.append(f"{found.mean:.1f} at {depth} blocks")
            words.append(f"{shape}, {look.name}: {', '.join(means)}")
        axes[3].plot([], [], "o", color=INK, label="residual")
        axes[3].plot([], [], "o", color=INK, mfc="none", label="plain")
        for look in LOOKS.values():
            axes[3].plot([], [], look.marker, color=look.color, label=look.name)
        axes[3].set_xticks(range(len(depths)), [f"{depth} blocks" for depth in depths])
        axes[3].set(ylabel="test accuracy (%)", ylim=(0, 100), xlim=(-0.5, len(depths) - 0.5))
        figure.legend(*axes[3].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(
        figure,
        "Three panels by block, before training: variance of the signal, share of each branch, and gradient. Below, "
        f"test accuracy in percent, each network at its own best learning rate. {'; '.join(words)}.",
    )


def _by_block(axis: Any, runs: Any, look: Look) -> None:
    """Draw the geometric mean over seeds where all are positive, else the mean."""
    runs = np.asarray(runs, dtype=float)
    mean = np.exp(np.log(runs).mean(0)) if (runs > 0).all() else runs.mean(0)
    axis.plot(np.arange(len(mean)), mean, look.marker, ls=look.line, color=look.color, ms=4, markevery=0.12)


def table(result: Result) -> Numbers:
    """Accuracy of every network at its own best learning rate, and its state at the start."""
    body = []
    for condition in result.conditions():
        if condition["part"] == "reported":
            arm = {name: condition[name] for name in ("shape", "norm", "depth")}
            accuracy = interval(100 * result.values("accuracy", **condition))
            start = [result.values(name, part="start", **arm) for name in ("signal_growth", "last_share")]
            cells = [f"{np.median(values):.3g}" for values in start]
            said = f"{accuracy.mean:.1f} ± {(accuracy.high - accuracy.low) / 2:.1f}"
            body.append(
                (
                    str(arm["depth"]),
                    str(arm["shape"]),
                    LOOKS[str(arm["norm"])].name,
                    f"{condition['rate']:g}",
                    said,
                    *cells,
                )
            )
    header = (
        "blocks",
        "shape",
        "normalization",
        "best rate",
        "test accuracy (%)",
        "signal grows by",
        "last branch's share",
    )
    count = len(result.config["seeds"])
    return Numbers(header, tuple(body), f"Mean and 95 % interval over {count} seeds; growth and share: medians.")
