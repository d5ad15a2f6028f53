"""Figures that stand in for an explorable where no JavaScript runs: its first state, drawn."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bncourse.conventions import MOMENTUM
from bncourse.numpy_bn import batch_norm_forward
from bncourse.plots.style import DIRECT, MEAN, MUTED, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def number_lines(x: Array, *, gamma: float = 1.0, beta: float = 0.0, eps: float = 0.0) -> Drawing:
    """Draw a batch on three lines: as it is, normalized, and scaled and shifted.

    Parameters
    ----------
    x : array of shape (m,)
    gamma, beta, eps : float

    Returns
    -------
    Drawing
    """
    y, cache = batch_norm_forward(x[:, None], np.array([gamma]), np.array([beta]), eps=eps)
    stops = {"x": x, "x̂": cache.x_hat[:, 0], "y": y[:, 0]}
    with style():
        figure = Figure(figsize=(WIDTH, 2.8))
        ax = figure.subplots()
        for height, values in zip((2, 1, 0), stops.values(), strict=True):
            mean, deviation = float(values.mean()), float(values.std())
            ax.fill_between(
                [mean - deviation, mean + deviation], height - 0.14, height + 0.14, color=VARIANCE, alpha=0.22
            )
            ax.plot([mean, mean], [height - 0.18, height + 0.18], color=MEAN, linestyle="-", linewidth=3)
            ax.plot(values, np.full(values.size, height), "o", color=DIRECT, markersize=7, linestyle="none")
        ax.plot(np.stack(list(stops.values())), [2, 1, 0], color=MUTED, linestyle="-", linewidth=0.8)
        ax.set_yticks([2, 1, 0], list(stops))
        ax.set_xlim(-8, 8)
        ax.grid(visible=False)
    read = "; ".join(
        f"{name} has mean {values.mean():.2f} and deviation {values.std():.2f}" for name, values in stops.items()
    )
    return finish(figure, f"A batch of {x.size} on three number lines. {read}.".replace("-0.00", "0.00"))


def following(
    *, steps: int = 60, batch: int = 16, speed: float = 0.1, momentum: float = MOMENTUM, seed: int = 7
) -> Drawing:
    """Draw a running mean that follows a population whose mean drifts.

    Parameters
    ----------
    steps, batch : int
        Batches seen, and their size.
    speed : float
        Drift of the population's mean per step, in its standard deviations.
    momentum : float
        Weight of the new batch's mean.
    seed : int

    Returns
    -------
    Drawing
    """
    rng = np.random.default_rng(seed)
    truth = speed * np.arange(1, steps + 1)
    seen = np.array([center + rng.standard_normal(batch).mean() for center in truth])
    running = np.zeros(steps)
    for step in range(steps):
        before = running[step - 1] if step else 0.0
        running[step] = (1.0 - momentum) * before + momentum * seen[step]
    with style():
        figure = Figure(figsize=(WIDTH, 3.0))
        ax = figure.subplots()
        at = np.arange(1, steps + 1)
        ax.plot(at, seen, "o", color=DIRECT, markersize=3, linestyle="none", label="mean of each batch")
        ax.plot(at, truth, color=MEAN, linestyle=(0, (5, 2)), label="mean of the population")
        ax.plot(at, running, color=VARIANCE, linestyle="-", linewidth=2.6, label="running mean")
        ax.legend(loc="upper left")
        ax.set_xlabel("step")
    behind = truth[-1] - running[-1]
    return finish(
        figure,
        f"Means of {steps} batches around a rising line, and a running mean that follows it; at the end it is "
        f"{behind:.2f} standard deviations behind.",
    )
