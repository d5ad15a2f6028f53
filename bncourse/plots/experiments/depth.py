"""What batch normalization is for: accuracy against depth; signal, branches and gradient at the start."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

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
    return list(dict.fromkeys((str(c["shape"]), str(c["norm"])) for c in result.conditions()))


def depths_of(result: Result) -> list[int]:
    """Return the depths that were trained, in blocks."""
    return sorted({int(c["depth"]) for c in result.conditions() if c["part"] == "reported"})


def question(result: Result, blocks: int) -> Drawing:
    """Accuracy of the shallowest networks with and without batch norm, and an open place at that many blocks."""
    fewest, words = depths_of(result)[0], []
    names = (("plain", "none"), ("plain", "batch"), ("residual", "none"), ("residual", "batch"))
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        for number, (shape, norm) in enumerate(names):
            values = 100 * result.values("accuracy", part="reported", shape=shape, norm=norm, depth=fewest)
            look = LOOKS[norm]._replace(name=f"{shape}, {LOOKS[norm].name}")
            filled = look.color if shape == "residual" else "none"
            place = 0.12 * (number - 1.5)
            axis.plot(place, values.mean(), look.marker, color=look.color, mfc=filled, ms=8, ls="none", label=look.name)
            words.append(f"{look.name} {values.mean():.1f}")
        axis.annotate("?", (1, 50), ha="center", va="center", fontsize=40, color=INK)
        axis.set(ylim=(0, 100), xlim=(-0.5, 1.5), ylabel="test accuracy (%)")
        axis.set_xticks([0, 1], [f"{fewest} blocks", f"{blocks} blocks"])
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(
        figure,
        f"Test accuracy in percent of networks of {fewest} blocks: {'; '.join(words)}. Beside them a question mark "
        f"at {blocks} blocks.",
    )


def draw(result: Result, blocks: int | None = None) -> Drawing:
    """At the start of networks of that many blocks (else the deepest): signal, share, gradient; below, accuracy."""
    depths = depths_of(result)
    blocks = blocks or depths[-1]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 9.6))
        axes = figure.subplots(4, 1)
        for shape, norm in arms(result):
            for axis, (name, _) in zip(axes, PANELS, strict=False):
                if shape == "residual" or name == "gradient":
                    runs = result.values(name, part="start", shape=shape, norm=norm, depth=blocks)
                    _by_block(axis, runs, LOOKS[norm], filled=shape == "residual")
        for axis, (_, title) in zip(axes, PANELS, strict=False):
            axis.set(ylabel=title, yscale="linear" if title.startswith("share") else "log")
        axes[2].set_xlabel(f"block of a network of {blocks} blocks, before training")
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


def _by_block(axis: Any, runs: Any, look: Look, *, filled: bool) -> None:
    """Draw the geometric mean over seeds where all are positive, else the mean."""
    runs = np.asarray(runs, dtype=float)
    mean = np.exp(np.log(runs).mean(0)) if (runs > 0).all() else runs.mean(0)
    face = look.color if filled else "none"
    axis.plot(np.arange(len(mean)), mean, look.marker, ls=look.line, color=look.color, mfc=face, ms=4, markevery=0.12)


def table(result: Result) -> Numbers:
    """Accuracy of every network at its own best learning rate, and its state at the start."""
    body = []
    for condition in result.conditions():
        if condition["part"] == "reported":
            arm = {name: condition[name] for name in ("shape", "norm", "depth")}
            accuracy = interval(100 * result.values("accuracy", **condition))
            start = [result.values(name, part="start", **arm) for name in ("signal_growth", "last_share")]
            cells = [f"{np.median(values):.3g}" for values in start]
            said = accuracy.said(1)
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
