"""Batches drawn from few classes: accuracy of each normalization against the number of classes in a batch."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS, seeds
from bncourse.plots.style import WIDTH, Drawing, finish, style


def draw(result: Result) -> Drawing:
    """Test accuracy with the moving averages, every seed."""
    classes = [int(count) for count in result.labels("classes")]
    norms = [norm for norm in NORMS if norm in result.labels("norm")]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.8))
        axis = figure.subplots()
        for place, norm in enumerate(norms):
            look = NORMS[norm]
            at = np.arange(len(classes)) + 0.16 * (place - (len(norms) - 1) / 2)
            runs = [100 * result.values("accuracy", norm=norm, classes=count) for count in classes]
            for x, values in zip(at, runs, strict=True):
                seeds(axis, x, values, look)
            means = [values.mean() for values in runs]
            axis.plot(at, means, look.marker, ls=look.line, color=look.color, ms=6, lw=1.2, label=look.name)
            words.append(f"{look.name} {', '.join(f'{mean:.1f}' for mean in means)}")
        axis.set_xticks(range(len(classes)), [str(count) for count in classes])
        axis.set(xlabel="classes in a batch (10: a fair batch)", ylabel="test accuracy (%)", ylim=(0, 102))
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    named = ", ".join(str(count) for count in classes)
    return finish(figure, f"Mean test accuracy in percent with {named} classes in a batch: {'; '.join(words)}.")
