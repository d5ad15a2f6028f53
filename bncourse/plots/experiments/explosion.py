"""Gradients that explode with depth: their norm on the way back, and its growth per layer."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS, curves, seeds
from bncourse.plots.style import INK, WIDTH, Drawing, finish, style

LIMIT = np.pi / (np.pi - 1)
"""Growth of the squared gradient per layer, for rectified units, in the limit of wide layers and large batches."""


def draw(result: Result, activation: str = "relu") -> Drawing:
    """Above, the gradient's norm by layer in one deep network; below, growth per layer against depth."""
    depths = result.labels("depth")
    deep = 50 if 50 in depths else depths[-1]
    norms = result.config["norms"]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 5.8))
        by_layer, growth = figure.subplots(2, 1)
        for norm in norms:
            chosen = {"norm": norm, "activation": activation}
            runs = result.values("gradient_norms", depth=deep, **chosen)
            curves(by_layer, np.arange(runs.shape[1]), runs, NORMS[norm])
            factor = 1.0 + 0.06 * (norms.index(norm) - 1)
            for depth in depths:
                seeds(growth, depth * factor, result.values("growth", depth=depth, **chosen), NORMS[norm])
            mean = result.interval("growth", depth=deep, **chosen).mean
            words.append(f"{NORMS[norm].name}: growth {mean:.2f} at depth {deep}")
        by_layer.set(yscale="log", xlabel="layer (0 is the input)", ylabel="gradient's norm / at the top")
        by_layer.set_title(f"one network of {deep} layers, {activation}")
        growth.set(xscale="log", xlabel="depth (layers)", ylabel="growth per layer", title="of the squared norm")
        if activation == "relu":
            growth.axhline(LIMIT, color=INK, lw=1.2, ls=(0, (4, 3)))
            growth.annotate("π/(π − 1)", (depths[0], LIMIT), va="top", textcoords="offset points", xytext=(-6, -4))
        growth.set_xticks(depths, [str(depth) for depth in depths])
        growth.minorticks_off()
        figure.legend(*by_layer.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(
        figure,
        f"Gradient norms by layer and growth of the squared norm per layer, {activation}. {'; '.join(words)}. "
        "The theory's value for rectified units is 1.467.",
    )
