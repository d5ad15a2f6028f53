"""Recomputed statistics on shifted pictures: accuracy before and after, by kind of shift."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, INK, MEAN, MUTED, WIDTH, Drawing, finish, style

LOOKS = {
    ("none", "before"): Look("without batch norm", MUTED, "v", ":"),
    ("batch", "before"): Look("batch norm, old statistics", MEAN, "s", "-"),
    ("batch", "after"): Look("batch norm, recomputed", DIRECT, "o", "-"),
}
GUESS = 10.0
"""Percent right by guessing among ten digits."""


def draw(result: Result, training: str = "clean") -> Drawing:
    """Accuracy under each shift, of networks trained on clean or on distorted pictures."""
    kinds = [name.removesuffix("_before") for name in result.units[0].values if name.endswith("_before")]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.8))
        axis = figure.subplots()
        axis.axhline(GUESS, color=INK, lw=1, ls=(0, (2, 2)))
        axis.annotate("guessing", (-0.45, GUESS + 1), va="bottom", fontsize=11)
        for offset, ((norm, when), look) in zip((-0.3, -0.04, 0.22), LOOKS.items(), strict=True):
            means = []
            for place, kind in enumerate(kinds):
                values = 100 * result.values(f"{kind}_{when}", norm=norm, training=training)
                seeds(axis, place + offset, values, look)
                means.append(f"{kind} {values.mean():.0f}")
            axis.plot([], [], look.marker, color=look.color, label=look.name)
            words.append(f"{look.name}: {', '.join(means)}")
        axis.set_xticks(np.arange(len(kinds)), kinds)
        axis.set(xlim=(-0.5, len(kinds) - 0.5), ylim=(0, 102), ylabel="test accuracy (%)")
        axis.grid(visible=False, axis="x")
        axis.set_title(f"trained on {training} pictures")
        figure.legend(loc="outside lower center", ncols=2)
    return finish(figure, f"Test accuracy in percent after training on {training} pictures. {'; '.join(words)}.")
