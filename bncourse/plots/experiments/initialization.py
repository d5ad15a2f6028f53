"""Accuracy against the scale of the initial weights, for three learning rates, without and with batch norm."""

from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.experiments.learning_rates import GUESS, guess_line, marks
from bncourse.plots.looks import NORMS, Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, VARIANCE, WIDTH, Drawing, finish, style

RATES = tuple(Look("", color, marker, LINES[color]) for color, marker in ((DIRECT, "o"), (MEAN, "s"), (VARIANCE, "D")))
"""The looks of the learning rates, from the smallest."""


def draw(result: Result) -> Drawing:
    """One panel a side, one line a learning rate; a cross where no seed kept a finite loss near the end."""
    scales = [float(scale) for scale in result.config["scales"]]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 6.0))
        axes = figure.subplots(2, 1, sharex=True, sharey=True)
        for axis, norm in zip(axes, result.config["norms"], strict=True):
            for rate, plain in zip(result.config["rates"], RATES, strict=False):
                look, means = plain._replace(name=f"rate {rate:g}"), []
                for scale in scales:
                    chosen = {"norm": norm, "scale": scale, "rate": rate}
                    runs = 100 * result.values("accuracy", **chosen)
                    means.append(float(runs.mean()))
                    if result.values("diverged", **chosen).all():
                        axis.plot(scale, runs.mean(), "X", color=look.color, ms=8)
                    else:
                        seeds(axis, scale, runs, look)
                axis.plot(scales, means, ls=look.line, color=look.color, label=look.name)
                read = ", ".join(f"{mean:.0f}" for mean in means)
                words.append(f"{NORMS[norm].name} at a rate of {rate:g}: {read}")
            guess_line(axis, GUESS, at=0.02 if axis is axes[1] else None)
            axis.set(xscale="log", ylim=(0, 103), ylabel="test accuracy (%)", title=NORMS[norm].name)
        axes[-1].set_xlabel("initial weights, as a multiple of He's choice")
        axes[-1].set_xticks(scales, [f"{scale:g}" for scale in scales])
        axes[-1].minorticks_off()
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend([*handles, marks(axes[0], "X")], [*names, "all diverged"], loc="outside lower center", ncols=4)
    described = ", ".join(f"{scale:g}" for scale in scales)
    return finish(
        figure, f"Mean test accuracy in percent for initial weights of {described} times He's: {'; '.join(words)}."
    )
