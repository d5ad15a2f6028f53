"""What the chapters on the transform and on inference ask."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bncourse.plots.questions.marks import arrow, ask, bare, box, empty
from bncourse.plots.style import DIRECT, INK, MEAN, MUTED, VARIANCE, WIDTH, Drawing, finish, style


def transform() -> Drawing:
    """A batch of two features, slanted and lopsided, and an open place for what the transform makes of it."""
    z = np.random.default_rng(0).standard_normal((250, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    with style():
        figure = Figure(figsize=(WIDTH, 2.5))
        before, after = figure.subplots(1, 2)
        before.scatter(np.exp(z[:, 0]), 50 + 7 * z[:, 1], s=9, lw=0, color=MEAN, alpha=0.6)
        before.set(title="a batch", xlabel="first feature", ylabel="second feature")
        empty(after, "after the four lines")
    return finish(
        figure,
        "A scatter plot of a batch with two features: a slanted, lopsided cloud far from the origin. Beside it an "
        "empty panel with a question mark: the batch after the transform.",
    )


def convolution(pictures: int = 3, maps: int = 3, side: int = 4) -> Drawing:
    """The feature maps of a few pictures, each a grid of values, with one value marked."""
    with style():
        figure = Figure(figsize=(WIDTH, 3.0))
        axis = figure.subplots()
        for row in range(pictures):
            for column in range(maps):
                left, top = column * (side + 1), -row * (side + 1)
                for place in range(side * side):
                    x, y = left + place % side, top - place // side
                    marked = (row, column, place) == (1, 1, side + 1)
                    color, alpha = (MEAN, 0.9) if marked else (MUTED, 0.35)
                    axis.add_patch(Rectangle((x + 0.06, y - 0.94), 0.88, 0.88, facecolor=color, alpha=alpha, lw=0))
        height, width = pictures * (side + 1) - 1, maps * (side + 1) - 1
        for column in range(maps):
            axis.text(column * (side + 1) + side / 2, 0.5, f"map {column + 1}", ha="center", va="bottom", color=INK)
        for row in range(pictures):
            axis.text(-0.6, -row * (side + 1) - side / 2, f"picture {row + 1}", ha="right", va="center", color=INK)
        ask(axis, width + 2.5, -height / 2, size=40)
        axis.set(xlim=(-6.5, width + 4.5), ylim=(-height - 0.3, 2), aspect="equal")
        axis.set_axis_off()
    return finish(
        figure,
        f"{pictures} pictures in rows, {maps} feature maps in columns, each map a grid of {side * side} values. One "
        "value of the second map of the second picture is marked. Which of the others share its mean?",
    )


def population_statistics(batches: int = 5, size: int = 6) -> Drawing:
    """A few batches, each with its own mean and deviation, and a sample that comes alone."""
    rng = np.random.default_rng(3)
    with style():
        figure = Figure(figsize=(WIDTH, 2.9))
        axis = figure.subplots()
        for row in range(batches):
            x, height = rng.standard_normal(size), batches - row
            low, high = x.mean() - x.std(), x.mean() + x.std()
            axis.fill_between([low, high], height - 0.28, height + 0.28, color=VARIANCE, alpha=0.22, lw=0)
            axis.plot([x.mean()] * 2, [height - 0.3, height + 0.3], color=MEAN, ls="-", lw=3)
            axis.plot(x, np.full(size, height), "o", color=DIRECT, ms=5, ls="none")
        axis.plot(0.7, 0, "o", color=DIRECT, ms=5, ls="none")
        ask(axis, -0.3, 0)
        rows = [*(f"batch {number + 1}" for number in range(batches)), "alone"]
        axis.set_yticks(range(batches, -1, -1), rows)
        axis.set(xticks=[], ylim=(-0.7, batches + 0.6))
        axis.grid(visible=False)
    return finish(
        figure,
        f"{batches} batches of {size} samples on number lines. Each has its own mean (bar) and deviation (band), "
        "and they differ. Below, a sample that comes alone, with a question mark in place of mean and band.",
    )


def modes() -> Drawing:
    """Two ways through one layer, and the switch between them."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.5))
        axis = figure.subplots()
        bare(axis, 10, 5)
        axis.text(0.3, 2.5, "x", va="center", fontsize=16, color=INK)
        axis.text(9.6, 2.5, "y", va="center", ha="center", fontsize=16, color=INK)
        box(axis, 6.2, 3.9, 4.4, 1.6, "mean and variance\nof this batch", MEAN)
        box(axis, 6.2, 1.1, 4.4, 1.6, "running mean\nand variance", DIRECT)
        for y, color in ((3.9, MEAN), (1.1, DIRECT)):
            arrow(axis, (2.3, 2.5), (3.9, y), MUTED, ":")
            arrow(axis, (8.5, y), (9.3, 2.5), color)
        arrow(axis, (0.8, 2.5), (1.6, 2.5))
        ask(axis, 2.0, 2.5)
        for y, name in ((4.4, "train()"), (3.4, "eval()"), (1.3, "no_grad()")):
            axis.text(1.9, y, name, ha="center", va="center", color=MUTED, family="monospace")
    return finish(
        figure,
        "An input x comes to a switch with a question mark. From it one way leads through the mean and variance of "
        "this batch, the other through the running mean and variance; both end at the output y. Beside the switch "
        "stand the names train(), eval() and no_grad().",
    )
