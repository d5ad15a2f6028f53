"""Histograms of a network's activations, gradients and updates, layer by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, LINES, MEAN, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]

COLORS = (DIRECT, MEAN, VARIANCE, TOTAL)


def histograms(rows: Mapping[str, Mapping[str, Sequence[Array]]]) -> Drawing:
    """Draw one histogram of sizes a layer: a row of panels for each quantity, a column for each network.

    Parameters
    ----------
    rows : mapping
        For each quantity, by the name of a network, one array a layer, the first layer first. What is drawn is the
        magnitude of the values on a logarithmic axis, so that layers of very different size fit into one panel;
        zeros are left out.
    """
    with style():
        columns = list(next(iter(rows.values())))
        figure = Figure(figsize=(WIDTH, 1.7 * len(rows) + 0.7))
        axes = figure.subplots(len(rows), len(columns), sharex="row", squeeze=False)
        for row, (quantity, networks) in enumerate(rows.items()):
            sizes = {name: [_log_sizes(values) for values in networks[name]] for name in columns}
            everything = np.concatenate([size for layers in sizes.values() for size in layers])
            bins = np.linspace(everything.min(), everything.max(), 25)
            for axis, name in zip(axes[row], columns, strict=True):
                for number, (size, color) in enumerate(zip(sizes[name], COLORS, strict=False), start=1):
                    heights, edges = np.histogram(size, bins)
                    axis.stairs(
                        heights / max(len(size), 1),
                        edges,
                        color=color,
                        ls=LINES[color],
                        lw=1.6,
                        label=f"layer {number}",
                    )
                axis.set(yticks=[], xlabel=f"{quantity}, power of ten")
                if row == 0:
                    axis.set_title(name)
        figure.legend(*axes[-1][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    medians = "; ".join(
        f"{quantity}, {name}: " + ", ".join(f"{np.median(np.abs(values)):.1g}" for values in networks[name])
        for quantity, networks in rows.items()
        for name in networks
    )
    return finish(figure, f"Histograms of sizes on logarithmic axes, one outline a layer. Medians by layer. {medians}.")


def _log_sizes(values: Array) -> Array:
    sizes = np.abs(values).ravel()
    logs: Array = np.log10(sizes[sizes > 0])
    return logs
