"""The shift of a layer's gradient against how fast the network learns, for three networks at two rates."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.experiments.statistics import interval
from bncourse.plots.looks import Look, curves
from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, TOTAL, WIDTH, Drawing, finish, style

LOOKS = {
    "none": Look("without", MUTED, "v", ":"),
    "batch": Look("batch norm", MEAN, "s", LINES[MEAN]),
    "noisy batch": Look("noisy batch norm", TOTAL, "^", LINES[TOTAL]),
}


def draw(result: Result) -> Drawing:
    """Mean training loss against the shift: every seed, and the mean with both intervals as a cross."""
    words = []
    rates = result.labels("rate")
    with style():
        figure = Figure(figsize=(WIDTH, 3.8))
        axis = figure.subplots()
        for norm, look in LOOKS.items():
            for rate in rates:
                shift, loss = (result.values(name, norm=norm, rate=rate) for name in ("shift", "mean_loss"))
                across, up = interval(shift), interval(loss)
                filled = look.color if rate == rates[-1] else "none"
                axis.plot(shift, loss, ".", color=look.color, ms=4, alpha=0.6)
                if len(shift) > 1:
                    axis.plot([across.low, across.high], [up.mean, up.mean], "-", color=look.color, lw=1.4)
                    axis.plot([across.mean, across.mean], [up.low, up.high], "-", color=look.color, lw=1.4)
                axis.plot(across.mean, up.mean, look.marker, color=look.color, mfc=filled, ms=8)
                words.append(f"{look.name} at rate {rate:g}: shift {across.mean:.2f}, loss {up.mean:.2f}")
            axis.plot([], [], look.marker, color=look.color, label=look.name)
        for rate, filled in zip(rates[-2:], ("none", DIRECT) if len(rates) > 1 else (DIRECT,), strict=True):
            axis.plot([], [], "o", color=DIRECT, mfc=filled, label=f"rate {rate:g}")
        axis.set(xlabel="shift of the last hidden layer's gradient", ylabel="mean training loss", xlim=(0, None))
        axis.set_ylim(0, None)
        figure.legend(loc="outside lower center", ncols=3)
    return finish(figure, f"Mean training loss against the relative shift. {'; '.join(words)}.")


def over_steps(result: Result, rate: float) -> Drawing:
    """The shift of the last hidden layer's gradient while the networks learn, at one rate."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        for norm, look in LOOKS.items():
            runs = result.values("shifts", norm=norm, rate=rate)
            every = result.config["every"]
            curves(axis, every * np.arange(1, runs.shape[1] + 1), runs, look)
            words.append(f"{look.name} from {runs[:, 0].mean():.2f} to {runs[:, -1].mean():.2f}")
        axis.set(xlabel="step", ylabel="relative shift", ylim=(0, None), title=f"rate {rate:g}")
        figure.legend(loc="outside lower center", ncols=3)
    return finish(figure, f"Relative shift of the last hidden layer's gradient at rate {rate:g}: {'; '.join(words)}.")
