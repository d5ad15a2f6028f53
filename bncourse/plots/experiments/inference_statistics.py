"""One trained network read with four kinds of statistics, and the bias of the batch variance."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

SOURCES = {
    "moving_accuracy": Look("moving average", MEAN, "s", LINES[MEAN]),
    "algorithm_2_accuracy": Look("Algorithm 2", VARIANCE, "D", LINES[VARIANCE]),
    "exact_accuracy": Look("exact moments", DIRECT, "o", LINES[DIRECT]),
    "batch_accuracy": Look("the test batch's own", TOTAL, "^", LINES[TOTAL]),
}


def draw(result: Result, momentum: float = 0.1) -> Drawing:
    """Test error of each reading against the batch size of training, at one momentum of the moving average."""
    sizes = [int(size) for size in result.config["batch_sizes"]]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.8))
        axis = figure.subplots()
        for place, (name, look) in enumerate(SOURCES.items()):
            at = np.arange(len(sizes)) + 0.18 * (place - 1.5)
            runs = [
                100 - 100 * result.values(name, part="trained", batch_size=size, momentum=momentum) for size in sizes
            ]
            for x, values in zip(at, runs, strict=True):
                seeds(axis, x, values, look)
            axis.plot([], [], look.marker, color=look.color, ls="none", label=look.name)
            words.append(f"{look.name} {', '.join(f'{values.mean():.2f}' for values in runs)}")
        axis.set_xticks(range(len(sizes)), [str(size) for size in sizes])
        axis.set(xlabel="batch size in training", ylabel="test error (%)", yscale="log")
        axis.set_yticks([2, 5, 10, 20], ["2", "5", "10", "20"])
        axis.minorticks_off()
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    named = ", ".join(str(size) for size in sizes)
    return finish(figure, f"Mean test error in percent after training with batches of {named}: {'; '.join(words)}.")


def bias(result: Result) -> Drawing:
    """The mean batch variance relative to the population's, as it is and times m/(m-1), against m."""
    sizes = np.array([int(size) for size in result.config["bias_sizes"]])
    found = {
        name: np.array([result.values(name, part="bias", batch_size=int(size)) for size in sizes])
        for name in ("biased", "corrected")
    }
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        axis.semilogx(sizes, (sizes - 1) / sizes, ls="-", lw=1.2, color=INK, label="(m - 1) / m")
        for name, color, marker in (("biased", MEAN, "s"), ("corrected", DIRECT, "o")):
            axis.plot(sizes, found[name].mean(axis=1), marker, ls="none", color=color, label=name)
            axis.plot(sizes, found[name], "_", ls="none", color=color, ms=10, alpha=0.5)
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
        axis.set(xlabel="batch size m", ylabel="batch variance / population's")
        axis.legend(loc="lower right")
    told = ", ".join(f"{value:.3f} at {size}" for size, value in zip(sizes, found["biased"].mean(axis=1), strict=True))
    return finish(
        figure,
        f"Mean batch variance relative to the population's: {told}; times m / (m - 1) it is 1 to within "
        f"{np.abs(found['corrected'].mean(axis=1) - 1).max():.3f} everywhere.",
    )
