"""What batch normalization costs: the bare layer against the bytes it moves, and whole networks with and without."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS, Look, seeds
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

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
            chosen = {"part": "layer", "way": "library", "shape": shape}
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


WAYS = {
    "equations": "equations (NumPy)",
    "loops": "fused loops (numba)",
    "compiler": "compiler (torch.compile)",
    "library": "library (PyTorch)",
}
"""How a figure calls the ways to compute a layer."""


def multiples(result: Result, way: str, shape: str) -> np.ndarray:
    """How many times as long as the bytes need a way takes, by repetition."""
    return 1.0 / result.values("roofline", part="layer", way=way, shape=shape)


def middles(result: Result) -> dict[str, float]:
    """The geometric mean of each way's multiples over the shapes."""
    shapes = result.config["layers"]
    return {
        way: float(np.exp(np.mean([np.log(multiples(result, way, shape).mean()) for shape in shapes]))) for way in WAYS
    }


def ways(result: Result) -> Drawing:
    """The time of each of the four ways, as a multiple of the time that the bytes need; 1 is the roof."""
    shapes = list(result.config["layers"])
    with style():
        figure = Figure(figsize=(WIDTH, 3.8))
        axis = figure.subplots()
        for number, (way, color) in enumerate(zip(WAYS, (DIRECT, MEAN, VARIANCE, TOTAL), strict=True)):
            found = [multiples(result, way, shape) for shape in shapes]
            for place, values in enumerate(found):
                axis.plot(
                    np.full(len(values), place + 0.18 * (number - 1.5)), values, "osD^"[number], color=color, ms=5
                )
            axis.plot([], [], "osD^"[number], color=color, label=WAYS[way])
        axis.axhline(1.0, color=INK, lw=1.2)
        axis.set_xticks(np.arange(len(shapes)), [shape.replace("x", " × ") for shape in shapes], rotation=20)
        axis.set(yscale="log", ylabel="time / time for the bytes")
        axis.set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"])
        axis.set_yticks([], minor=True)
        figure.legend(loc="outside lower center", ncols=2)
    return finish(
        figure,
        "Time of one forward and backward pass as a multiple of the time for copying the bytes, geometric mean over "
        f"{len(shapes)} shapes. {'; '.join(f'{WAYS[way]}: {middle:.1f}' for way, middle in middles(result).items())}.",
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
