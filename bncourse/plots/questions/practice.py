"""What the chapters on practice and on the relatives ask."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS
from bncourse.plots.questions.marks import arrow, ask, bare, box, empty
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def training(result: Result, rate: float = 0.03) -> Drawing:
    """Held-out accuracy of both networks at one small rate, and an open place at each network's own best rate."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 2.7))
        axis = figure.subplots()
        for place, norm in ((-0.12, "none"), (0.12, "batch")):
            look = NORMS[norm]
            seen = 100 * result.values("held_out", part="tuning", norm=norm, rate=rate).mean()
            axis.plot(place, seen, look.marker, color=look.color, ms=8, ls="none", label=look.name)
            words.append(f"{look.name} {seen:.1f}")
        ask(axis, 1, 94, size=40)
        axis.set(ylim=(86, 100), xlim=(-0.5, 1.5), ylabel="accuracy (%)")
        axis.set_xticks([0, 1], [f"both at learning\nrate {rate:g}", "each at its\nown best rate"])
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(
        figure,
        f"Accuracy in percent on held-out pictures at a learning rate of {rate:g}: {', '.join(words)}. Beside it a "
        "question mark: each network at its own best rate.",
    )


def regularizer() -> Drawing:
    """Three candidates for one job: the noise of the batch, dropout, L2."""
    rows = (("noise of the batch", MEAN), ("dropout", DIRECT), ("L2", VARIANCE))
    with style():
        figure = Figure(figsize=(WIDTH, 2.3))
        axis = figure.subplots()
        bare(axis, 10, 3.6)
        for row, (name, color) in enumerate(rows):
            y = 3.0 - 1.2 * row
            axis.text(3.4, y, name, ha="right", va="center", color=color)
            axis.plot([3.8, 9.6], [y, y], color=color, ls=":", lw=1.6)
            ask(axis, 6.7, y, color=color)
        axis.text(3.8, 3.55, "weak", va="center", color=MUTED)
        axis.text(9.6, 3.55, "strong", ha="right", va="center", color=MUTED)
    return finish(
        figure,
        "Three lines from weak to strong, for the noise of the batch, for dropout and for L2, with a question mark on "
        "each: how strongly does each of them regularize a network with batch norm?",
    )


def the_batch(machines: int = 4, samples: int = 2) -> Drawing:
    """A few samples on each of several machines, and one mean and variance for an open number of them."""
    shapes, colors = "osD^", (DIRECT, MEAN, VARIANCE, TOTAL)
    with style():
        figure = Figure(figsize=(WIDTH, 2.3))
        axis = figure.subplots()
        bare(axis, 2.5 * machines, 3.6)
        for place in range(machines):
            x = 2.5 * place + 1.25
            box(axis, x, 1.1, 2.1, 1.4, "", MUTED)
            axis.text(x, 0.15, f"machine {place + 1}", ha="center", va="center", color=MUTED)
            across = x + np.linspace(-0.5, 0.5, samples)
            kind = place % len(shapes)
            axis.plot(across, np.full(samples, 1.1), shapes[kind], color=colors[kind], ms=11, ls="none")
        axis.annotate(
            "", (0.3, 2.3), (2.5 * machines - 0.3, 2.3), arrowprops={"arrowstyle": "|-|", "color": INK, "lw": 1.4}
        )
        axis.text(1.25 * machines, 3.0, "one mean and one variance for ... ?", ha="center", va="center", color=INK)
    return finish(
        figure,
        f"{machines} machines with {samples} samples each; the samples of a machine are of one kind, and the kinds "
        "differ from machine to machine. Over them stands the question: one mean and one variance for which of them?",
    )


def failure_museum(result: Result) -> Drawing:
    """The training loss of a network with batch norm that came down well, and an open place for the test."""
    guess, loss = float(np.log(10)), float(result.values("loss", norm="batch", classes=1).mean())
    with style():
        figure = Figure(figsize=(WIDTH, 2.5))
        left, right = figure.subplots(1, 2)
        left.bar([0, 1], [guess, loss], width=0.5, color=[MUTED, MEAN])
        left.set_xticks([0, 1], ["a guess", "trained"])
        left.set(title="training loss", ylim=(0, 2.7))
        for place, height in enumerate((guess, loss)):
            left.text(place, height + 0.06, f"{height:.2f}", ha="center", color=INK)
        empty(right, "test accuracy")
    return finish(
        figure,
        f"Two bars: the training loss of a guess is {guess:.2f}, that of a trained network with batch norm {loss:.2f}. "
        "Beside them an empty panel with a question mark: its accuracy on test pictures.",
    )


def bug_museum(losses: dict[str, Array]) -> Drawing:
    """The loss curves of two programs, one of which has a bug."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.7))
        axis = figure.subplots()
        for (name, values), color in zip(losses.items(), (DIRECT, MEAN), strict=True):
            axis.plot(np.arange(1, values.size + 1), values, color=color, ls=LINES[color], label=name)
        axis.set(xlabel="step", ylabel="training loss", title="One of the two has a wrong gradient. Which?")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    ends = ", ".join(f"{name} {values[-20:].mean():.2f}" for name, values in losses.items())
    return finish(
        figure,
        f"Training losses of two programs, both falling; at the end {ends}. One of the two has a wrong gradient.",
    )


def cost(parameters: float, arithmetic: float) -> Drawing:
    """The share of batch norm in a network's parameters and arithmetic, and an open place for its share of the time."""
    shares = {"parameters": 100 * parameters, "arithmetic": 100 * arithmetic}
    with style():
        figure = Figure(figsize=(WIDTH, 2.4))
        axis = figure.subplots()
        for row, share in enumerate(shares.values()):
            axis.barh(2 - row, share, height=0.5, color=DIRECT)
            axis.text(share + 0.6, 2 - row, f"{share:.1f} %", va="center", color=INK)
        ask(axis, 3, 0)
        axis.set_yticks([2, 1, 0], [*shares, "time of a step"])
        axis.set(xlim=(0, 40), ylim=(-0.5, 2.5), xlabel="batch norm's share of a network (%)")
        axis.grid(visible=False)
    read = ", ".join(f"{share:.1f} percent of the {name}" for name, share in shares.items())
    return finish(
        figure, f"Batch norm makes up {read} of a network. Its share of the time of a step is a question mark."
    )


def recurrent(steps: int = 4) -> Drawing:
    """One layer at several time steps, and what its statistics should be at each of them."""
    with style():
        figure = Figure(figsize=(WIDTH, 2.4))
        axis = figure.subplots()
        bare(axis, 2.6 * steps, 4.0)
        for step in range(steps):
            x = 2.6 * step + 1.1
            box(axis, x, 2.2, 1.5, 1.1, "same\nweights", DIRECT)
            axis.text(x, 0.3, f"step {step + 1}", ha="center", va="center", color=MUTED)
            arrow(axis, (x, 0.65), (x, 1.6))
            if step < steps - 1:
                arrow(axis, (x + 0.8, 2.2), (x + 1.8, 2.2))
            axis.text(x, 3.4, "μ, σ² ?", ha="center", va="center", color=MEAN)
    return finish(
        figure,
        f"One layer at {steps} time steps, with the same weights at each, every step handing its state to the next. "
        "Above each step: mean and variance, question mark.",
    )
