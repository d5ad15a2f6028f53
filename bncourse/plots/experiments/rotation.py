"""Length of the weights before a normalization, and how far a step turns them, under SGD and AdamW."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, curves
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

FORMS = (
    (DIRECT, "o", LINES[DIRECT]),
    (MEAN, "s", LINES[MEAN]),
    (VARIANCE, "D", LINES[VARIANCE]),
    (TOTAL, "^", LINES[TOTAL]),
    (INK, "P", "-"),
    (MUTED, "v", ":"),
)
"""A color, a marker and a line for each run."""


def draw(result: Result) -> Drawing:
    """Length of the first layer's weights, and how far a step turns them, for every optimizer, rate and decay."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 6.2))
        above, below = figure.subplots(2, 1, sharex=True)
        for run, (color, marker, line) in zip(result.config["runs"], FORMS, strict=False):
            optimizer, momentum, rate, decay = run
            chosen = {"optimizer": optimizer, "momentum": momentum, "rate": rate, "decay": decay}
            name = f"{optimizer}{f', momentum {momentum:g}' if momentum else ''}, rate {rate:g}, decay {decay:g}"
            look = Look(name, color, marker, line)
            lengths, turns = result.values("lengths", **chosen), result.values("turns", **chosen)
            for axis, found in ((above, lengths), (below, turns)):
                steps = result.config["steps"] * np.linspace(0, 1, found.shape[1], endpoint=False)
                curves(axis, steps, found, look)
            expected = result.values("expected_turn", **chosen)[0]
            below.plot(steps[-1] * 1.03, expected, marker, color=color, ms=6)
            words.append(
                f"{look.name}: length {lengths[:, -1].mean():.1f}, turn {result.values('turn', **chosen).mean():.4f} "
                f"where the formula says {expected:.4f}"
            )
        above.set(yscale="log", ylabel="length of the weights")
        below.set(yscale="log", ylabel="turn per step (radians)", xlabel="step")
        for axis in (above, below):
            axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter(NullFormatter())
        figure.legend(*above.get_legend_handles_labels(), loc="outside lower center", ncols=1)
    return finish(figure, f"Two panels of curves against the training step, ending at: {'; '.join(words)}.")
