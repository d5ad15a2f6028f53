"""Before or after the nonlinearity: accuracy of each placement, and the distributions on both sides."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

PLACES = {
    "nowhere": Look("nowhere", MUTED, "v", ":"),
    "before": Look("before", MEAN, "s", LINES[MEAN]),
    "after": Look("after", DIRECT, "o", LINES[DIRECT]),
    "both": Look("both", TOTAL, "^", LINES[TOTAL]),
}


def draw(result: Result) -> Drawing:
    """Test accuracy against the rate, one panel a nonlinearity."""
    words = []
    rates, activations = result.labels("rate"), result.labels("activation")
    with style():
        figure = Figure(figsize=(WIDTH, 0.8 + 2.6 * len(activations)))
        axes = np.atleast_1d(figure.subplots(len(activations), 1, sharex=True))
        for axis, activation in zip(axes, activations, strict=True):
            for number, (place, look) in enumerate(PLACES.items()):
                means = []
                for position, rate in enumerate(rates):
                    values = 100 * result.values("accuracy", place=place, activation=activation, rate=rate)
                    seeds(axis, position + 0.2 * (number - 1.5), values, look)
                    means.append(f"{values.mean():.1f}")
                axis.plot([], [], look.marker, color=look.color, label=look.name)
                words.append(f"{activation}, {place}: {', '.join(means)}")
            axis.set(ylabel="test accuracy (%)", title=str(activation))
        axes[-1].set_xticks(np.arange(len(rates)), [f"{rate:g}" for rate in rates])
        axes[-1].set_xlabel("learning rate")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    listed = ", ".join(f"{rate:g}" for rate in rates)
    return finish(figure, f"Test accuracy in percent at the rates {listed}. {'; '.join(words)}.")


def shapes(result: Result, activation: str = "relu", rate: float | None = None) -> Drawing:
    """Histograms of what goes into the nonlinearity and of what comes out, in units of their deviation."""
    chosen = {"place": "before", "activation": activation, "rate": rate or result.labels("rate")[-1]}
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
