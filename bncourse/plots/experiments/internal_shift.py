"""The shift of a layer's gradient against how fast the network learns, for three networks at every rate."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.experiments.statistics import interval
from bncourse.plots.looks import Look, curves
from bncourse.plots.style import LINES, MEAN, MUTED, TOTAL, WIDTH, Drawing, finish, style
from bncourse.plots.tables import Numbers

LOOKS = {
    "none": Look("without", MUTED, "v", ":"),
    "batch": Look("batch norm", MEAN, "s", LINES[MEAN]),
    "noisy batch": Look("noisy batch norm", TOTAL, "^", LINES[TOTAL]),
}


def draw(result: Result, activation: str = "sigmoid") -> Drawing:
    """Mean training loss against two measures of the shift: of a layer's gradient, and of its inputs' distribution."""
    words = []
    rates = result.labels("rate")
    with style():
        figure = Figure(figsize=(WIDTH, 6.2))
        axes = figure.subplots(2, 1, sharey=True)
        for norm, look in LOOKS.items():
            for number, rate in enumerate(rates):
                chosen = {"activation": activation, "norm": norm, "rate": rate}
                loss = result.values("mean_loss", **chosen)
                if not np.isfinite(loss).all():
                    words.append(
                        f"{look.name} at rate {rate:g} diverged in {np.isnan(loss).sum()} of {len(loss)} seeds"
                    )
                    continue
                means = []
                for axis, name in zip(axes, ("shift", "distribution"), strict=True):
                    shift = result.values(name, **chosen)
                    means.append(shift.mean())
                    axis.plot(shift, loss, ".", color=look.color, ms=4, alpha=0.6)
                    axis.plot(shift.mean(), loss.mean(), look.marker, color=look.color, ms=4 + 3 * number, mfc="none")
                words.append(
                    f"{look.name} at rate {rate:g}: shift of the gradient {means[0]:.2f}, of the distribution "
                    f"{means[1]:.3f}, loss {loss.mean():.2f}"
                )
            axes[0].plot([], [], look.marker, color=look.color, mfc="none", label=look.name)
        axes[0].set(xlabel="relative shift of the last hidden layer's gradient", xlim=(0, None))
        axes[1].set(xlabel="relative shift of the distribution of its inputs", xscale="log")
        for axis in axes:
            axis.set(ylabel="mean training loss", ylim=(0, None))
        figure.legend(loc="outside lower center", ncols=3)
    return finish(
        figure,
        f"Mean training loss against two measures of the shift, {activation} networks; larger markers are larger "
        f"rates. {'; '.join(words)}.",
    )


def controls(result: Result, activation: str = "sigmoid") -> Numbers:
    """Every network at every rate, with the control beside the result: a step of length zero, noise held or redrawn."""
    header = (
        "network",
        "rate",
        "shift",
        "step of zero",
        "shift, noise redrawn",
        "step of zero, redrawn",
        "shift of the distribution",
        "distribution, step of zero",
        "distribution, noise held",
        "mean loss",
        "test accuracy (%)",
    )
    of_gradient = ("shift", "zero_step", "shift_redrawn", "zero_step_redrawn")
    names = (*of_gradient, "distribution", "zero_step_distribution", "distribution_held", "mean_loss")
    body = []
    for norm, look in LOOKS.items():
        for rate in result.labels("rate"):
            chosen = {"activation": activation, "norm": norm, "rate": rate}
            loss = result.values("loss", **chosen)
            if np.isfinite(loss).all() and not result.values("failed", **chosen).any():
                cells = [f"{result.interval(name, **chosen)}" for name in names]
                accuracy = interval(100 * result.values("accuracy", **chosen))
                body.append((look.name, f"{rate:g}", *cells, accuracy.said(1)))
            else:
                lost = int(result.values("failed", **chosen).sum())
                body.append((look.name, f"{rate:g}", f"came to nothing in {lost} of {len(loss)} seeds", *[""] * 8))
    count = len(result.config["seeds"])
    return Numbers(header, tuple(body), f"{activation} networks; mean and 95 % interval over {count} seeds.")


def over_steps(result: Result, rate: float, activation: str = "sigmoid") -> Drawing:
    """The shift of the last hidden layer's gradient while the networks learn, at one rate."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        for norm, look in LOOKS.items():
            runs = result.values("shifts", activation=activation, norm=norm, rate=rate)
            every = result.config["every"]
            curves(axis, every * np.arange(1, runs.shape[1] + 1), runs, look)
            words.append(f"{look.name} from {runs[:, 0].mean():.2f} to {runs[:, -1].mean():.2f}")
        axis.set(xlabel="step", ylabel="relative shift", ylim=(0, None), title=f"rate {rate:g}")
        figure.legend(loc="outside lower center", ncols=3)
    return finish(figure, f"Relative shift of the last hidden layer's gradient at rate {rate:g}: {'; '.join(words)}.")
