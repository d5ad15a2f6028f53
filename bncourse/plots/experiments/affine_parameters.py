"""Gamma and beta: another rate, another start, or none of them."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.affine_arms import arm
from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, WIDTH, Drawing, finish, style

ABLATIONS = {
    "rate": ("factor", "rate of gamma and beta / rate of the weights"),
    "start": ("gamma", "gamma at the start"),
    "learned": ("learned", "learned"),
}
LOOKS = {"relu": Look("ReLU", MEAN, "s", LINES[MEAN]), "sigmoid": Look("sigmoid", DIRECT, "o", LINES[DIRECT])}


def draw(result: Result) -> Drawing:
    """Test accuracy under the three ablations, every arm at its own best learning rate."""
    words = []
    activations = result.labels("activation")
    with style():
        figure = Figure(figsize=(WIDTH, 7.2))
        axes = figure.subplots(len(ABLATIONS), 1)
        for axis, (ablation, (label, title)) in zip(axes, ABLATIONS.items(), strict=True):
            levels = list(result.config[{"rate": "factors", "start": "starts"}.get(ablation, ablation)])
            for number, activation in enumerate(activations):
                means = []
                for position, level in enumerate(levels):
                    chosen = arm(str(activation), **{label: level})
                    values = 100 * result.values("accuracy", part="reported", **chosen)
                    seeds(axis, position + 0.3 * (number - 0.5), values, LOOKS[str(activation)])
                    means.append(f"{level} {values.mean():.1f}")
                words.append(f"{activation}, {title}: {', '.join(means)}")
            axis.set_xticks(np.arange(len(levels)), [str(level) for level in levels])
            axis.set(xlabel=title, ylabel="accuracy (%)")
        for activation in activations:
            look = LOOKS[str(activation)]
            axes[0].plot([], [], look.marker, color=look.color, label=look.name)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Test accuracy in percent. {'; '.join(words)}.")
