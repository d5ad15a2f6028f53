"""Pictures of gradient checks: the step size, and which probes see which errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style

Array = np.ndarray[Any, Any]


def step_sizes(steps: Array, errors: Mapping[str, Array]) -> Drawing:
    """Draw the error of each numerical derivative against its step.

    Parameters
    ----------
    steps : array
    errors : mapping
        Relative errors by the method's name; zeros are drawn at the smallest number shown.

    Returns
    -------
    Drawing
    """
    with style():
        figure = Figure(figsize=(WIDTH, 3.6))
        ax = figure.subplots()
        for (name, values), color in zip(errors.items(), (MEAN, DIRECT, VARIANCE, TOTAL), strict=False):
            shown = np.maximum(values, 1e-17)
            ax.loglog(steps, shown, color=color, linestyle=LINES[color], label=name)
        ax.invert_xaxis()
        ax.legend(loc="lower left")
        ax.set_xlabel("step h, smaller to the right")
        ax.set_title("relative error of the derivative")
    read = "; ".join(f"{name}: at best {values.min():.0e}" for name, values in errors.items())
    return finish(figure, f"Error of numerical derivatives against the step, on logarithmic axes. {read}.")


def verdicts(rows: Sequence[str], columns: Sequence[str], caught: Array) -> Drawing:
    """Draw which check catches which error: a filled square is caught, a hollow one slips through.

    Parameters
    ----------
    rows : sequence of str
        The wrong programs.
    columns : sequence of str
        The checks.
    caught : boolean array of shape (rows, columns)

    Returns
    -------
    Drawing
    """
    with style():
        figure = Figure(figsize=(WIDTH, 1.7 + 0.34 * len(rows)))
        ax = figure.subplots()
        for (row, column), seen in np.ndenumerate(caught):
            color = VARIANCE if seen else MEAN
            face = color if seen else "none"
            ax.add_patch(Rectangle((column + 0.2, row + 0.2), 0.6, 0.6, facecolor=face, edgecolor=color, linewidth=1.6))
        ax.set_xlim(0, len(columns))
        ax.set_ylim(len(rows), 0)
        names = [column.replace("\n", " ") for column in columns]
        ax.set_xticks(np.arange(len(columns)) + 0.3, names, color=INK, rotation=35, ha="left", rotation_mode="anchor")
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows, color=INK)
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.grid(visible=False)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.set_xlabel("filled: caught    hollow: slips through", color=MUTED)
    read = " ".join(
        f"{row}: caught by {', '.join(c for c, seen in zip(columns, line, strict=True) if seen) or 'none'}.".replace(
            "\n", " "
        )
        for row, line in zip(rows, caught, strict=True)
    )
    return finish(figure, f"Table of wrong programs against checks. {read}")


def caught(counts: Mapping[str, int], total: int, ours: Sequence[str]) -> Drawing:
    """Draw how many of the wrong programs each check catches.

    Parameters
    ----------
    counts : mapping
        Wrong programs caught, by the check's name.
    total : int
        How many wrong programs there are.
    ours : sequence of str
        The names that are drawn in another color.

    Returns
    -------
    Drawing
    """
    with style():
        figure = Figure(figsize=(WIDTH, 0.8 + 0.36 * len(counts)))
        ax = figure.subplots()
        for place, (name, count) in enumerate(counts.items()):
            color = VARIANCE if name in ours else MEAN
            ax.barh(place, count, color=color, height=0.62)
            ax.text(count + 1, place, str(count), color=color, va="center")
        ax.axvline(total, color=MUTED, linestyle="-", linewidth=1.0)
        ax.set_yticks(range(len(counts)), list(counts))
        ax.invert_yaxis()
        ax.set_xlim(0, 1.08 * total)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel(f"caught, of {total} wrong programs")
    read = ", ".join(f"{name} {count}" for name, count in counts.items())
    return finish(figure, f"Bars: of {total} wrong programs, each check catches so many: {read}.")
