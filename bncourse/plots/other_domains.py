"""Figures of the chapter on other domains."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Array
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, WIDTH, Drawing, finish, style

BEFORE = Look("old statistics", MEAN, "s", LINES[MEAN])
AFTER = Look("recomputed", DIRECT, "o", LINES[DIRECT])


def pictures(shown: Mapping[str, Sequence[Array]]) -> Drawing:
    """Show some pictures, one column a kind of shift: black is 0 or less, white 1 or more."""
    rows = len(next(iter(shown.values())))
    with style():
        figure = Figure(figsize=(WIDTH, 0.3 + 0.95 * rows))
        axes = figure.subplots(rows, len(shown), squeeze=False)
        for column, (name, images) in enumerate(shown.items()):
            axes[0, column].set_title(name, loc="center", fontsize=11)
            for row, image in enumerate(images):
                axes[row, column].imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                axes[row, column].set(xticks=[], yticks=[])
                axes[row, column].grid(visible=False)
    return finish(
        figure, f"The same {rows} handwritten digits in {len(shown)} versions, one a column: {', '.join(shown)}."
    )


def crowds(classes: Sequence[int], before: Array, after: Array, counts: Sequence[int], by_count: Array) -> Drawing:
    """Draw accuracy against the number of classes in the new crowd, and against the number of unlabeled pictures.

    Parameters
    ----------
    classes : sequence of int
        How many of the ten digits occur.
    before, after : arrays of shape (classes, seeds)
        Accuracy with old and with recomputed statistics.
    counts : sequence of int
        How many unlabeled pictures were used.
    by_count : array of shape (counts, seeds)
        Accuracy on faint pictures.
    """
    with style():
        figure = Figure(figsize=(WIDTH, 5.6))
        crowd, number = figure.subplots(2, 1)
        for offset, values, look in ((-0.18, before, BEFORE), (0.1, after, AFTER)):
            for place, row in enumerate(values):
                seeds(crowd, place + offset, 100 * row, look)
            crowd.plot([], [], look.marker, color=look.color, label=look.name)
        for place, row in enumerate(by_count):
            seeds(number, place, 100 * row, AFTER)
        crowd.set_xticks(np.arange(len(classes)), [str(count) for count in classes])
        crowd.set(xlabel="digits that occur (of ten)", title="the same camera, other classes")
        crowd.legend(loc="lower left")
        number.set_xticks(np.arange(len(counts)), [str(count) for count in counts])
        number.set(xlabel="unlabeled pictures used", title="another camera, all classes")
        for axis in (crowd, number):
            axis.set(ylabel="test accuracy (%)", ylim=(0, 102))
    by_class = ", ".join(
        f"{c} {100 * b.mean():.0f} to {100 * a.mean():.0f}" for c, b, a in zip(classes, before, after, strict=True)
    )
    faint = ", ".join(f"{count} {100 * row.mean():.0f}" for count, row in zip(counts, by_count, strict=True))
    return finish(
        figure,
        f"Above, accuracy in percent before and after recomputing, by the number of digits that occur: {by_class}. "
        f"Below, accuracy on faint pictures by the number of unlabeled pictures: {faint}.",
    )
