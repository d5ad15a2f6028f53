"""What the chapters ask that ask why."""

from math import lgamma

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.questions.marks import arrow, ask, bare, box
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style


def covariate_shift(black: float = 0.98) -> Drawing:
    """How dark the animals are in training and at test time."""
    dark = np.linspace(0.001, 0.999, 300)
    coats = np.exp(29 * np.log(dark) + 5 * np.log1p(-dark) + lgamma(36) - lgamma(30) - lgamma(6))
    with style():
        figure = Figure(figsize=(WIDTH, 2.5))
        axis = figure.subplots()
        axis.plot(dark, black * coats + 1 - black, color=MEAN, ls=LINES[MEAN], label="in training")
        axis.plot(dark, np.ones_like(dark), color=DIRECT, ls=LINES[DIRECT], label="at test time")
        ask(axis, 0.3, 3.2)
        axis.set(yticks=[], xlim=(0, 1), ylim=(0, 7), xlabel="how dark the coat is", ylabel="share of animals")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(
        figure,
        "Two densities of how dark an animal's coat is. In training nearly all animals are black: a narrow peak near "
        "the dark end. At test time every darkness is equally likely. A question mark stands over the pale animals.",
    )


def internal_covariate_shift() -> Drawing:
    """What comes into a layer at three moments of training, beside what the layer has learned to expect."""
    x = np.linspace(-3, 7, 300)
    moments = ((0.0, 1.0, "now"), (1.5, 1.3, "100 steps later"), (3.2, 1.7, "200 steps later"))
    with style():
        figure = Figure(figsize=(WIDTH, 2.5))
        axis = figure.subplots()
        for (mean, std, name), color in zip(moments, (DIRECT, MEAN, VARIANCE), strict=True):
            bell = np.exp(-(((x - mean) / std) ** 2) / 2) / std
            axis.plot(x, bell, color=color, ls=LINES[color], label=name)
        axis.annotate("", (5.2, 0.85), (1.2, 0.85), arrowprops={"arrowstyle": "-|>", "color": MUTED, "lw": 1.6})
        ask(axis, 5.8, 0.85)
        axis.set(yticks=[], xticks=[], ylim=(0, 1.1), xlabel="what comes into the layer")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(
        figure,
        "Three bells: the inputs of a layer now, after 100 and after 200 steps. Each lies further to the right and is "
        "wider than the one before. An arrow leads on to a question mark.",
    )


def whitening() -> Drawing:
    """The loss of a linear model over two weights, as a narrow valley and as a round bowl."""
    a, b = np.meshgrid(np.linspace(-1, 1, 81), np.linspace(-1, 1, 81))
    with style():
        figure = Figure(figsize=(WIDTH, 2.6))
        axes = figure.subplots(1, 2)
        bowls = (("inputs as they come", 60 * (a - b) ** 2 + (a + b) ** 2), ("inputs prepared", 8 * (a**2 + b**2)))
        for axis, (title, loss) in zip(axes, bowls, strict=True):
            axis.contour(a, b, loss, levels=np.array([0.3, 1.2, 2.7, 4.8]), colors=DIRECT, linewidths=1.3)
            axis.plot(0, 0, "+", color=INK, ms=10, mew=2)
            axis.plot(-0.7, -0.45, "o", color=MEAN, ms=7)
            axis.text(-0.6, 0.72, "? steps", color=MEAN, ha="center")
            axis.set(title=title, xticks=[], yticks=[], aspect="equal")
            axis.grid(visible=False)
    return finish(
        figure,
        "Contours of two losses over two weights. For inputs as they come the loss is a long, narrow valley; for "
        "prepared inputs it is a round bowl. A dot marks the same start in both: how many steps is it to the bottom?",
    )


CLAIMS = (
    ("less internal covariate shift", DIRECT),
    ("a smoother loss", MEAN),
    ("larger learning rates", VARIANCE),
    ("weights without a scale", TOTAL),
    ("noise", MUTED),
)


def why_it_works() -> Drawing:
    """Five explanations, each with an arrow to the success and a question mark on it."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.9))
        axis = figure.subplots()
        bare(axis, 10, 5.4)
        box(axis, 8.9, 2.7, 1.9, 1.3, "it trains\nbetter", INK)
        for row, (claim, color) in enumerate(CLAIMS):
            y = 4.9 - 1.1 * row
            axis.text(0.1, y, claim, va="center", color=color)
            start, end = (4.9, y), (7.8, 2.7 + 0.35 * (2 - row) / 2)
            arrow(axis, start, end, color)
            ask(axis, 5.9, y + (end[1] - y) * 0.34 + 0.3, size=16, color=color)
    return finish(
        figure,
        f"Five explanations: {', '.join(claim for claim, _ in CLAIMS)}. From each an arrow with a question mark leads "
        "to a box that says: it trains better.",
    )
