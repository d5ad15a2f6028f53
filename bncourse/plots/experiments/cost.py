"""What batch normalization costs: the bare layer against the bytes it moves, and whole networks with and without."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS, Look, seeds
from bncourse.plots.style import DIRECT, INK, LINES, WIDTH, Drawing, finish, style

MILLI = 1000.0
FOLDED = Look("folded", DIRECT, "o", LINES[DIRECT])


def draw(result: Result) -> Drawing:
    """Time of a bare layer's step against the time that its bytes need; the line is the roof."""
    words = []
    shapes = list(result.config["layers"])
    with style():
        figure = Figure(figsize=(WIDTH, 3.8))
        axis = figure.subplots()
        longest = 0.0
        for number, shape in enumerate(shapes):
            chosen = {"part": "layer", "shape": shape}
            taken = MILLI * result.values("seconds", **chosen)
            needed = MILLI * result.values("bytes", **chosen) / result.values("bandwidth", **chosen)
            marker = "osD^v"[number % 5]
            axis.plot(needed, taken, marker, color=DIRECT, ms=4, alpha=0.5)
            axis.plot(needed.mean(), taken.mean(), marker, color=DIRECT, ms=8, label=shape.replace("x", " × "))
            longest = max(longest, 1.15 * float(needed.max()))
            words.append(f"{shape} takes {(taken / needed).mean():.1f} times as long as its bytes")
        axis.plot([0, longest], [0, longest], "-", color=INK, lw=1.2)
        axis.annotate("the roof", (longest, longest), ha="right", va="top", xytext=(0, -8), textcoords="offset points")
        axis.set(xlim=(0, None), ylim=(0, None), xlabel="time for the bytes (ms)", ylabel="time measured (ms)")
        figure.legend(loc="outside lower center", ncols=2)
    return finish(
        figure, f"Measured time of one forward and backward pass against the bytes' time: {'; '.join(words)}."
    )


def networks(result: Result) -> Drawing:
    """Milliseconds of a training step and of inference, for each network, with and without."""
    words = []
    names = list(result.config["networks"])
    bars = {
        "training step": (("step_without", NORMS["none"]), ("step_with", NORMS["batch"])),
        "inference": (("inference", NORMS["batch"]), ("inference_folded", FOLDED)),
    }
    with style():
        figure = Figure(figsize=(WIDTH, 5.0))
        axes = figure.subplots(2, 1)
        for axis, (title, sides) in zip(axes, bars.items(), strict=True):
            for place, name in enumerate(names):
                for offset, (value, look) in zip((-0.18, 0.12), sides, strict=True):
                    taken = MILLI * result.values(value, part="network", network=name)
                    seeds(axis, place + offset, taken, look)
                    words.append(f"{name}, {title} {look.name}: {taken.mean():.2f} ms")
            for _, look in sides:
                axis.plot([], [], look.marker, color=look.color, label=look.name)
            axis.set_xticks(np.arange(len(names)), names)
            axis.set(title=title, ylabel="time (ms)", ylim=(0, None), xlim=(-0.5, len(names) - 0.3))
            axis.legend(loc="best")
    return finish(figure, f"Times in milliseconds, mean over the repetitions. {'; '.join(words)}.")
