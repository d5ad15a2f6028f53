"""What the chapters on the gradients ask."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.questions.marks import arrow, ask, bare, box
from bncourse.plots.style import DIRECT, INK, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def graph(samples: int = 4) -> Drawing:
    """Four samples go in, four outputs come out, and the loss looks at the first output only."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.7))
        axis = figure.subplots()
        bare(axis, 10, samples + 0.6)
        box(axis, 4.6, (samples + 0.6) / 2, 2.3, samples, "batch\nnorm", MUTED)
        for place in range(samples):
            y, number = samples - place - 0.2, "₁₂₃₄₅₆₇₈₉"[place]
            axis.text(0.7, y, f"x{number}", ha="center", va="center", fontsize=15, color=INK)
            axis.text(7.2, y, f"y{number}", ha="center", va="center", fontsize=15, color=INK)
            ask(axis, 2.3, y + 0.05, size=18, color=DIRECT)
            arrow(axis, (1.1, y - 0.26), (3.4, y - 0.26), MUTED)
            arrow(axis, (5.8, y), (6.8, y), MUTED)
        top = samples - 0.2
        box(axis, 9.2, top, 1.4, 0.9, "loss", TOTAL)
        arrow(axis, (7.6, top), (8.45, top), TOTAL)
    return finish(
        figure,
        f"{samples} inputs lead into a box named batch norm, {samples} outputs lead out of it. Only the first output "
        "leads on to the loss. A question mark stands at each input: which of them receive a gradient?",
    )


def vanishing_term() -> Drawing:
    """The mean leads to the normalized value by two ways; the one through the variance is asked about."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.4))
        axis = figure.subplots()
        bare(axis, 10, 4.4)
        for x, y, sign in ((1.2, 3.4, "μ"), (5.0, 1.0, "σ²"), (8.8, 3.4, "x̂")):
            axis.plot(x, y, "o", ms=34, mfc="none", mec=MUTED, mew=1.6)
            axis.text(x, y, sign, ha="center", va="center", fontsize=16, color=INK)
        arrow(axis, (1.9, 3.4), (8.1, 3.4), MEAN)
        arrow(axis, (1.8, 3.0), (4.3, 1.4), MEAN, ":")
        arrow(axis, (5.7, 1.4), (8.2, 3.0), VARIANCE)
        axis.text(5.0, 3.6, "subtracted in the numerator", ha="center", va="bottom", color=MEAN)
        axis.text(0.4, 1.0, "subtracted inside\nthe variance", ha="left", va="center", color=MEAN)
        ask(axis, 3.5, 2.3, color=MEAN)
    return finish(
        figure,
        "Three nodes: the mean, the variance, and x hat. The mean leads to x hat straight, because it is subtracted in "
        "the numerator, and by a dotted edge to the variance, because it is subtracted there too. The variance leads "
        "to x hat. A question mark stands at the dotted edge.",
    )


def closed_form(x_hat: Array, dy: Array, dx: Array) -> Drawing:
    """The upstream gradients of twelve samples, and what is passed on to their inputs."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.6))
        axes = figure.subplots(1, 2, sharey=True)
        sides = (("dy, upstream", dy, DIRECT, "-"), ("dx, passed on", dx, TOTAL, "-"))
        for axis, (title, values, color, line) in zip(axes, sides, strict=True):
            axis.axhline(0, color=MUTED, lw=0.8, ls="-")
            axis.vlines(x_hat, 0, values, color=color, lw=2.4, ls=line)
            axis.plot(x_hat, values, "o", color=color, ms=5, ls="none")
            axis.set(title=title, xlabel="x_hat")
        axes[0].annotate("?", (1.08, 0.5), xycoords="axes fraction", ha="center", va="center", fontsize=26, color=INK)
    return finish(
        figure,
        f"Two panels with {x_hat.size} bars each against x hat. Left the upstream gradients; right those "
        "that batch normalization passes on. A question mark stands between the panels: by which rule?",
    )


def invariances(lengths: tuple[float, ...] = (1.0, 2.0, 4.0)) -> Drawing:
    """Weights of three lengths in one direction: the outputs are the same, the gradients are asked for."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.4))
        axis = figure.subplots()
        bare(axis, 10, 4.2)
        for row, length in enumerate(lengths):
            y = 3.4 - 1.3 * row
            arrow(axis, (0.2, y), (0.2 + 0.9 * length, y), DIRECT)
            name = "W" if length == 1 else f"{length:g} W"
            axis.text(4.2, y, name, va="center", fontsize=14, color=DIRECT)
            axis.text(5.4, y, "same output", va="center", color=INK)
            axis.text(8.6, y, "gradient", va="center", ha="center", color=MEAN)
            ask(axis, 9.75, y, size=18, color=MEAN)
    read = ", ".join(f"{length:g}" for length in lengths)
    return finish(
        figure,
        f"Three arrows in one direction, weights of length {read}. Beside each stands: same output; gradient, question "
        "mark.",
    )


def checking(numerical: Array, returned: Array) -> Drawing:
    """The numbers that a gradient test compares, one beside the other."""
    agree = bool(np.abs(numerical - returned).max() < 1e-3)
    at = np.arange(1, numerical.size + 1)
    with style():
        figure = Figure(figsize=(WIDTH, 2.4))
        axis = figure.subplots()
        axis.plot(at, numerical, "o", ms=11, mfc="none", mec=DIRECT, mew=1.8, ls="none", label="finite differences")
        axis.plot(at, returned, ".", ms=9, color=MEAN, ls="none", label="your backward pass")
        axis.set(ylim=(-1, 1), xlabel="entry of dx", title="test passed: so is the backward pass right?")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(
        figure,
        f"{at.size} entries of dx, from finite differences (rings) and from a backward pass (dots). They "
        f"{'agree in every entry' if agree else 'differ'}. Is the backward pass right?",
    )
