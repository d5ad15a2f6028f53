"""Other targets than mean 0 and variance 1: accuracy with the target held fixed, and with it as a start."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, WIDTH, Drawing, finish, style

LOOKS = {
    False: Look("held fixed", MEAN, "s", LINES[MEAN]),
    True: Look("learned from there", DIRECT, "o", LINES[DIRECT]),
}


def draw(result: Result) -> Drawing:
    """Accuracy against the target's standard deviation at mean 0, and against its mean at deviation 1."""
    words = []
    activations, learned = result.labels("activation"), result.config["learned"]
    stds = [(0.0, std) for std in result.config["stds"]]
    means = sorted([(mean, 1.0) for mean in result.config["means"]] + [(0.0, 1.0)])
    sweeps = [("standard deviation", stds, 1)] + ([("mean", means, 0)] if len(means) > 1 else [])
    panels = [(activation, sweep) for activation in activations for sweep in sweeps]
    with style():
        figure = Figure(figsize=(WIDTH, 0.6 + 2.1 * len(panels)))
        axes = np.atleast_1d(figure.subplots(len(panels), 1))
        for axis, (activation, (title, targets, shown)) in zip(axes, panels, strict=True):
            for number, kind in enumerate(learned):
                found = []
                for position, (mean, std) in enumerate(targets):
                    chosen = {"activation": activation, "learned": kind, "mean": mean, "std": std}
                    values = 100 * result.values("accuracy", **chosen)
                    seeds(axis, position + 0.3 * (number - 0.5), values, LOOKS[kind])
                    found.append(f"{targets[position][shown]:g} {values.mean():.1f}")
                words.append(f"{activation}, {title}, {LOOKS[kind].name}: {', '.join(found)}")
            axis.set_xticks(np.arange(len(targets)), [f"{target[shown]:g}" for target in targets])
            axis.set(xlabel=f"target's {title}", ylabel="accuracy (%)", title=str(activation))
        for kind in learned:
            axes[0].plot([], [], LOOKS[kind].marker, color=LOOKS[kind].color, label=LOOKS[kind].name)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Test accuracy in percent against the target. {'; '.join(words)}.")
