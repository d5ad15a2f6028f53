"""Accuracy against the batch size: batch norm and its relatives, and ghost batches."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS, seeds
from bncourse.plots.style import WIDTH, Drawing, finish, style


def draw(result: Result) -> Drawing:
    """Every normalization that was measured, except ghost batches, which have a figure of their own."""
    return _against_size(result, [norm for norm in NORMS if norm in result.labels("norm") and norm != "ghost"])


def ghost(result: Result) -> Drawing:
    """The same gradient batch throughout; the statistics come from parts of it, of the size on the axis."""
    return _against_size(result, ["batch", "ghost"], xlabel="samples that share a mean")


def _against_size(result: Result, norms: Sequence[str], *, xlabel: str = "batch size") -> Drawing:
    sizes = [int(size) for size in result.labels("batch_size")]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 4.0))
        axis = figure.subplots()
        axis.set_xscale("log", base=2)
        for place, norm in enumerate(norms):
            look = NORMS[norm]
            beside = np.array(sizes) * 2 ** (0.11 * (place - (len(norms) - 1) / 2))
            runs = [100 * result.values("accuracy", norm=norm, batch_size=size) for size in sizes]
            for x, values in zip(beside, runs, strict=True):
                seeds(axis, x, values, look)
            means = [values.mean() for values in runs]
            axis.plot(beside, means, look.marker, ls=look.line, color=look.color, ms=6, lw=1.2, label=look.name)
            words.append(f"{look.name} {', '.join(f'{mean:.1f}' for mean in means)}")
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
        axis.set(xlabel=xlabel, ylabel="test accuracy (%)")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    named = ", ".join(str(size) for size in sizes)
    return finish(figure, f"Mean test accuracy in percent at {named} samples: {'; '.join(words)}.")
