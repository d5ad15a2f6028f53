"""Figure of the chapter on batch renormalization."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.plots.style import DIRECT, INK, MEAN, TOTAL, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def values(inference: Array, training: Mapping[str, Array]) -> Drawing:
    """One sample's value in training against its value in inference, a panel for each way of normalizing."""
    words = []
    reach = 1.05 * max(float(np.abs(inference).max()), *(float(np.abs(found).max()) for found in training.values()))
    with style():
        figure = Figure(figsize=(WIDTH, 1.9 * len(training) + 0.3))
        axes = figure.subplots(len(training), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        looks = ((MEAN, "s"), (TOTAL, "X"), (DIRECT, "o"))
        for axis, (name, found), (color, marker) in zip(axes, training.items(), looks, strict=True):
            axis.plot([-reach, reach], [-reach, reach], "-", color=INK, lw=1)
            axis.plot(inference, found, marker, ls="none", color=color, ms=3, alpha=0.6)
            axis.set(title=name, ylabel="in training", xlim=(-reach, reach), ylim=(-reach, reach))
            words.append(f"{name} {np.sqrt(np.mean((found - inference) ** 2)):.2f}")
        axes[-1].set_xlabel("the same sample's value in inference")
    return finish(
        figure,
        "Scatter plots of a sample's training value against its inference value, with the diagonal on which they "
        f"agree. Root mean square distance from it: {', '.join(words)}.",
    )
