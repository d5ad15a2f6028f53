"""Covariate shift in the ordinary sense: accuracy on the test's crowd under each treatment."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, WIDTH, Drawing, finish, style

NAMES = {
    "none": "nothing",
    "weighted": "importance\nweights",
    "normalized": "own mean\nand variance",
    "trained on the test's colors": "trained\nthere",
}
LOOK = Look("accuracy", DIRECT, "o", LINES[DIRECT])


def draw(result: Result) -> Drawing:
    """One column a treatment: every draw, and the mean with its interval."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 3.2))
        axis = figure.subplots()
        treatments = list(result.config["treatments"])
        for place, treatment in enumerate(treatments):
            values = 100 * result.values("accuracy", treatment=treatment)
            seeds(axis, place, values, LOOK)
            words.append(f"{NAMES[treatment].replace(chr(10), ' ')} {values.mean():.1f}")
        axis.set_xticks(np.arange(len(treatments)), [NAMES[treatment] for treatment in treatments])
        axis.set(ylabel="test accuracy (%)", xlim=(-0.5, len(treatments) - 0.4))
        axis.grid(visible=False, axis="x")
    return finish(figure, f"Accuracy on the test's animals in percent, by treatment: {'; '.join(words)}.")
