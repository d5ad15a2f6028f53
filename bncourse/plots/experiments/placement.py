"""Before or after the nonlinearity: accuracy of each placement, and the distributions on both sides."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.experiments.tuning import rate_of, tried
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

PLACES = {
    "nowhere": Look("nowhere", MUTED, "v", ":"),
    "before": Look("before", MEAN, "s", LINES[MEAN]),
    "after": Look("after", DIRECT, "o", LINES[DIRECT]),
    "both": Look("both", TOTAL, "^", LINES[TOTAL]),
}


def draw(result: Result) -> Drawing:
    """Held-out accuracy at each learning rate tried, and test accuracy at the best of them; a panel a nonlinearity."""
    words = []
    activations = result.labels("activation")
    with style():
        figure = Figure(figsize=(WIDTH, 0.8 + 2.6 * len(activations)))
        axes = np.atleast_1d(figure.subplots(len(activations), 1, sharex=True))
        for axis, activation in zip(axes, activations, strict=True):
            lowest = 100.0
            for place, look in PLACES.items():
                arm = {"place": place, "activation": activation}
                held_out, rate = tried(result, **arm), rate_of(result, **arm)
                values = 100 * result.values("accuracy", part="reported", **arm)
                axis.plot(list(held_out), [100 * v for v in held_out.values()], ls=look.line, color=look.color, lw=1.1)
                seeds(axis, rate * 10 ** (0.04 * (list(PLACES).index(place) - 1.5)), values, look)
                axis.plot([], [], look.marker, color=look.color, label=look.name)
                words.append(f"{activation}, {place}: {values.mean():.1f} at rate {rate:g}")
                lowest = min(lowest, values.min())
            axis.set(xscale="log", ylabel="accuracy (%)", title=str(activation), ylim=(lowest - 2.5, 98.5))
        axes[-1].set_xlabel("learning rate")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return finish(
        figure,
        "Lines: accuracy on held-out training pictures against the learning rate. Markers: test accuracy in percent at "
        f"the best of these rates. {'; '.join(words)}.",
    )


def shapes(result: Result, activation: str = "relu") -> Drawing:
    """Histograms of what goes into the nonlinearity and of what comes out, in units of their deviation."""
    chosen = {"part": "reported", "place": "before", "activation": activation}
    edges = result.values("edges", **chosen)[0]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 4.2))
        axes = figure.subplots(2, 1, sharex=True)
        for axis, (name, title) in zip(axes, (("before", "goes in"), ("behind", "comes out")), strict=True):
            height = result.values(f"{name}_histogram", **chosen).mean(axis=0)
            axis.stairs(height, edges, fill=True, color=VARIANCE, alpha=0.55)
            skewness = result.interval(f"{name}_skewness", **chosen).mean
            axis.set(title=f"what {title}: skewness {skewness:.2f}", ylabel="density")
            words.append(f"what {title} has mean absolute skewness {skewness:.2f}")
        axes[-1].set_xlabel("value, in standard deviations from the mean")
    return finish(figure, f"Histograms around the last {activation} layer: {'; '.join(words)}.")
