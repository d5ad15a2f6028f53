"""Figure 3 of the paper in miniature: curves, our table beside the published one, and each change's part.

Accuracies during training are those on held-out pictures; the test set is looked at once, at the end.
"""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.inception_recipes import PUBLISHED, ROWS, recipe
from bncourse.experiments.result import Array, Result
from bncourse.experiments.statistics import interval
from bncourse.plots.looks import Look, curves, seeds
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, MUTED, TOTAL, VARIANCE, WIDTH, Drawing, finish, style
from bncourse.plots.tables import Numbers

BASELINE, FULL = "Inception", "BN-x5"

LOOKS = {
    "Changes-x1": Look("changes alone, x1", INK, "P", "-"),
    "Changes-x5": Look("changes alone, x5", INK, "X", (0, (1, 1))),
    "Inception": Look("Inception", MUTED, "v", ":"),
    "BN-Baseline": Look("BN-Baseline", VARIANCE, "D", (0, (3, 1, 1, 1))),
    "BN-x5": Look("BN-x5", DIRECT, "o", LINES[DIRECT]),
    "BN-x30": Look("BN-x30", MEAN, "s", LINES[MEAN]),
    "BN-x5-Sigmoid": Look("BN-x5-Sigmoid", TOTAL, "^", LINES[TOTAL]),
}

UNDONE = {
    "without higher rate": "rate not raised",
    "without no dropout": "dropout kept",
    "without a fifth of L2": "L2 kept as it was",
    "without faster decay": "decay kept slow",
    "without no response norm": "response norm kept",
    "without reshuffling": "same batches again",
    "without less distortion": "distortion kept",
}
"""What a variant does that leaves out one of the seven changes."""


def looked_at(result: Result, variant: str) -> tuple[Array, Array]:
    """Return the steps at which the table's runs were looked at, and the accuracies there: (looks,), (seeds, looks).

    A run that diverged stopped early; its accuracy is NaN from there on.
    """
    steps = np.arange(result.config["every"], result.config["steps"] + 1, result.config["every"])
    chosen = {"part": "reported", "variant": variant}
    runs = {
        m.unit.seed: m.values["accuracies"] for m in result.units if chosen.items() <= dict(m.unit.condition).items()
    }
    table = np.full((len(runs), len(steps)), np.nan)
    for row, seed in zip(table, sorted(runs), strict=True):
        row[: len(runs[seed])] = runs[seed][: len(steps)]
    return steps, table


def steps_to_baseline(result: Result, variant: str) -> Array:
    """Return each seed's first step, of those looked at, with the baseline's best accuracy, or NaN if there is none.

    The mark is the best accuracy of the baseline with the same seed, as 72.2 % is in the paper.
    """
    steps, runs = looked_at(result, variant)
    marks = np.nanmax(looked_at(result, BASELINE)[1], axis=1)
    reached = runs >= marks[:, None]
    return np.where(reached.any(axis=1), steps[reached.argmax(axis=1)], np.nan)


def variants(result: Result) -> list[str]:
    """Return the variants of a run, in the order of its config."""
    return list(result.config["variants"])


def final(result: Result, variant: str) -> Array:
    """Return each seed's test accuracy at the end, in percent."""
    return 100 * result.values("accuracy", part="reported", variant=variant)


def draw(result: Result) -> Drawing:
    """Accuracy against steps for the published rows and the missing one; the line is the baseline's best."""
    rows = [row for row in (*ROWS, "Changes-x1", "Changes-x5") if row in variants(result)]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 4.6))
        axis = figure.subplots()
        for row in rows:
            steps, runs = looked_at(result, row)
            curves(axis, steps, 100 * runs, LOOKS[row])
            words.append(f"{row} {final(result, row).mean():.2f}")
        mark = 100 * np.nanmax(looked_at(result, BASELINE)[1], axis=1).mean()
        axis.axhline(mark, color=INK, lw=1, ls=(0, (1, 3)))
        axis.set(ylim=(0, 100), xlabel="step", ylabel="held-out accuracy (%)")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(
        figure,
        f"Held-out accuracy against the steps for {len(rows)} networks. Mean test accuracy at the end, in percent: "
        f"{', '.join(words)}.",
    )


def published() -> Drawing:
    """The table of the paper's Figure 3 as a picture: million steps to 72.2 %, and best accuracy."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 2.6))
        left, right = figure.subplots(1, 2, sharey=True)
        for place, row in enumerate(ROWS):
            look, (steps, best_of_row) = LOOKS[row], PUBLISHED[row]
            if steps > 0:
                left.barh(place, steps, height=0.55, color=look.color, alpha=0.7, lw=0)
                left.annotate(f" {steps:g}", (steps, place), va="center", color=INK)
            else:
                left.annotate(" never", (0, place), va="center", color=INK)
            right.plot(100 * best_of_row, place, look.marker, color=look.color, ms=8)
            words.append(f"{row} {f'{steps:g} million' if steps > 0 else 'never'} and {100 * best_of_row:.1f} %")
        left.set(yticks=range(len(ROWS)), yticklabels=ROWS, ylim=(len(ROWS) - 0.5, -0.5), xlim=(0, 38))
        left.set_xlabel("million steps to 72.2 %")
        right.set(xlabel="best accuracy (%)", xlim=(69, 75.5))
    return finish(figure, f"Published steps to 72.2 % and best accuracy: {'; '.join(words)}.")


def contributions(result: Result) -> Drawing:
    """For the five-fold network with each change undone: steps to the baseline's best, and test accuracy."""
    rows = [FULL, *(row for row in variants(result) if row.startswith("without ")), "BN-Baseline"]
    end, words = result.config["steps"], []
    with style():
        figure = Figure(figsize=(WIDTH, 4.4))
        left, right = figure.subplots(1, 2, sharey=True)
        for place, row in enumerate(rows):
            look = LOOKS.get(row, Look(row, MEAN, "s", "-"))
            steps, accuracies = steps_to_baseline(result, row), final(result, row)
            reached = steps[np.isfinite(steps)]
            seeds(right, place, accuracies, look, lying=True)
            if len(reached) == len(steps):
                seeds(left, place, steps, look, lying=True)
            else:  # a mean over those that arrived would flatter
                left.plot(reached, np.full(len(reached), place + 0.2), ".", color=look.color, ms=4, alpha=0.6)
                missed = f"not in {len(steps) - len(reached)} of {len(steps)}"
                left.annotate(missed, (1.95 * end, place), ha="right", va="center", color=look.color, fontsize=11)
            words.append(
                f"{UNDONE.get(row, row)} {said_steps(steps, result.config['every'])} and {said(accuracies, 2)}"
            )
        left.set(yticks=range(len(rows)), yticklabels=[UNDONE.get(row, row) for row in rows])
        left.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 2 * end), xticks=[0, end // 2, end])
        left.set_xlabel("steps to the\nbaseline's best")
        right.set_xlabel("test accuracy (%)")
    return finish(figure, f"Steps to the baseline's best accuracy, and test accuracy in percent: {'; '.join(words)}.")


def table(result: Result) -> Numbers:
    """Our rows beside the published ones: steps to the baseline's best accuracy, how many times fewer, and the best."""
    header = (
        "model",
        "times the baseline's rate",
        "steps to the baseline's best",
        "times fewer",
        "test accuracy at the end (%)",
        "paper: million steps to 72.2 %",
        "paper: times fewer",
        "paper: best (%)",
    )
    body, every = [], result.config["every"]
    for row in variants(result):
        steps = steps_to_baseline(result, row)
        published, top = PUBLISHED.get(row, (np.nan, np.nan))
        theirs = (f"{published:.1f}", f"{PUBLISHED[BASELINE][0] / published:.1f}") if published > 0 else ("", "")
        if row in PUBLISHED and not published > 0:
            theirs = ("never", "")
        fewer = said_times(steps_to_baseline(result, BASELINE), steps, every) if np.isfinite(steps).all() else ""
        fewer = "1" if row == BASELINE else fewer
        best = "" if np.isnan(top) else f"{100 * top:.1f}"
        ours = (said_steps(steps, every), fewer, said(final(result, row), 1))
        body.append((row, f"{recipe(row).rate_factor:g}", *ours, *theirs, best))
    count = len(result.config["seeds"])
    return Numbers(header, tuple(body), f"Ours: mean and 95 % interval over {count} seeds. Paper: on ImageNet.")


def said_steps(steps: Array, every: int) -> str:
    """Say steps no finer than they were looked at: rounded to the grid, with an interval of at least one look.

    >>> said_steps(np.array([100.0, 100.0, 125.0]), 25), said_steps(np.array([50.0, 50.0]), 25)
    ('100 ± 50', '50 ± 25')
    >>> said_steps(np.array([50.0, np.nan]), 25)
    'in 1 of 2 seeds'
    """
    reached = int(np.isfinite(steps).sum())
    if reached < len(steps):
        return f"in {reached} of {len(steps)} seeds" if reached else "never"
    found = interval(steps)
    half = every * max(1, int(np.ceil((found.high - found.low) / 2 / every)))
    return f"{every * round(found.mean / every)} ± {half}"


def said_times(more: Array, fewer: Array, every: int) -> str:
    """Say how many times fewer steps one network needed, no finer than the steps were looked at.

    A network that was good enough at a look may have been so since the look before. So half of the interval is at
    least the share that one look has in the smaller number of steps.

    >>> said_times(np.array([200.0, 200.0]), np.array([50.0, 50.0]), 25)
    '4 ± 2'
    >>> said_times(np.array([200.0, 200.0]), np.array([50.0, np.nan]), 25)
    'not in 1 of 2 seeds'
    """
    missed = int(np.isnan(more / fewer).sum())
    if missed:
        return said(more / fewer, 1)
    found = interval(more / fewer)
    coarse = found.mean * every / float(fewer.mean())
    half = max((found.high - found.low) / 2, coarse)
    return f"{found.mean:.{0 if half >= 1 else 1}f} ± {half:.{0 if half >= 1 else 1}f}"


def changes(result: Result) -> Numbers:
    """What undoing each change costs the five-fold network, seed by seed."""
    body = []
    for row in variants(result):
        if row.startswith("without "):
            steps, gap = steps_to_baseline(result, row), final(result, row) - final(result, FULL)
            every = result.config["every"]
            cells = (
                said_steps(steps, every),
                said_times(steps, steps_to_baseline(result, FULL), every),
                said(final(result, row), 2),
                said(gap, 2),
            )
            body.append((UNDONE[row], *cells))
    header = (
        "change undone",
        "steps to the baseline's best",
        "times BN-x5's",
        "test accuracy (%)",
        "points above BN-x5",
    )
    count = len(result.config["seeds"])
    return Numbers(header, tuple(body), f"Mean and 95 % interval over {count} seeds; differences seed by seed.")


def said(values: Array, digits: int) -> str:
    """Say a mean with its interval, or in how many seeds there is no number.

    >>> said(np.array([100.0, 200.0]), 0)
    '150 ± 635'
    >>> said(np.array([100.0, np.nan]), 0), said(np.array([np.nan]), 0)
    ('not in 1 of 2 seeds', 'never')
    """
    missed = int(np.isnan(values).sum())
    if missed:
        return "never" if missed == len(values) else f"not in {missed} of {len(values)} seeds"
    return interval(values).said(digits)
