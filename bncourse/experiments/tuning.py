"""Each arm of a comparison at its own best learning rate, which no test picture has helped to choose.

An arm is tried at a few learning rates of the ladder 0.001, 0.003, 0.01, 0.03, ..., on held-out training pictures and
with seeds of its own. While its best rate is the smallest or the largest tried, the next rung is tried too. So the
best rate never lies at the edge of the grid. Only then is the arm trained with the reported seeds and tested.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bncourse.experiments.result import Config, Label, Result, Unit, grid

LEARNED = 0.2
"""Held-out accuracy below which an arm with ten classes has learned next to nothing at a rate."""


@dataclass(frozen=True, kw_only=True)
class TunedConfig(Config):
    """What a comparison needs whose arms are each tuned by themselves."""

    rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    """Rungs of the ladder that are tried first."""
    limits: tuple[float, float] = (0.0001, 100.0)
    """The lowest and the highest rung that may be tried."""
    tuning_seeds: tuple[int, ...] = (1000, 1001)
    """Other seeds than the reported ones."""
    held_out: int = 10_000
    """Training pictures, the last ones, by which rates are chosen; no run trains on them."""


def rung(rate: float, steps: int) -> float:
    """Climb the ladder of rates.

    >>> [rung(0.1, steps) for steps in (-2, -1, 0, 1, 2)]
    [0.01, 0.03, 0.1, 0.3, 1.0]
    """
    position = round(2 * np.log10(rate)) + steps
    return float(f"{10.0 ** (position // 2) * (3 if position % 2 else 1):.0e}")


def plan(
    config: TunedConfig, finished: Mapping[Unit, Mapping[str, Any]], arms: Iterable[Mapping[str, Label]]
) -> list[Unit]:
    """Plan each arm's tuning as far as it is known, and the reported runs of the arms whose tuning is over.

    Parameters
    ----------
    config : TunedConfig
    finished : mapping of Unit to values
        What was measured so far; a finished tuning unit has a value `held_out`.
    arms : iterable of mappings
        The labels of each arm, without `part` and `rate`.

    Returns
    -------
    list of Unit
        With `part="tuning"` or `part="reported"`, the arm's labels, and `rate`.
    """
    planned: list[Unit] = []
    for arm in arms:
        rates = sorted(config.rates)
        while True:
            tried = {rate: [Unit.of(s, part="tuning", rate=rate, **arm) for s in config.tuning_seeds] for rate in rates}
            if not all(unit in finished for units in tried.values() for unit in units):
                planned += [unit for units in tried.values() for unit in units]
                break
            scores = [float(np.mean([finished[unit]["held_out"] for unit in tried[rate]])) for rate in rates]
            if further := beyond(rates, scores, config.limits):
                rates = sorted(rates + further)
                continue
            planned += [unit for units in tried.values() for unit in units]
            best = rates[int(np.argmax(scores))]
            planned += [Unit.of(seed, part="reported", rate=best, **arm) for seed in config.seeds]
            break
    return planned


def beyond(rates: list[float], scores: list[float], limits: tuple[float, float]) -> list[float]:
    """Return the rungs still to be tried: beyond an edge that none surpasses, or both while nothing was learned.

    >>> beyond([0.1, 0.3, 1.0], [0.8, 0.9, 0.95], (0.01, 10.0))
    [3.0]
    >>> beyond([0.1, 0.3, 1.0], [0.8, 0.9, 0.9], (0.01, 10.0))
    [3.0]
    >>> beyond([0.1, 0.3, 1.0], [0.1, 0.11, 0.1], (0.1, 10.0))
    [3.0]
    """
    best = max(scores)
    nothing = best < LEARNED
    lower, higher = rung(rates[0], -1), rung(rates[-1], 1)
    wanted = [lower] if nothing or scores[0] == best else []
    wanted += [higher] if nothing or scores[-1] == best else []
    return [rate for rate in wanted if limits[0] <= rate <= limits[1]]


def rate_of(result: Result, **arm: Label) -> float:
    """Return the learning rate that an arm's reported runs were given."""
    found = {m.unit["rate"] for m in result.units if {("part", "reported"), *arm.items()} <= set(m.unit.condition)}
    if len(found) != 1:
        raise ValueError(f"{arm} names {len(found)} rates of {result.experiment}. Expected the labels of one arm.")
    return float(found.pop())


def tried(result: Result, **arm: Label) -> dict[float, float]:
    """Return the mean held-out accuracy of an arm at every learning rate that was tried, in the order of the rates."""
    wanted = {("part", "tuning"), *arm.items()}
    found: dict[float, list[float]] = {}
    for m in result.units:
        if wanted <= set(m.unit.condition):
            found.setdefault(m.unit["rate"], []).append(m.values["held_out"])
    return {rate: float(np.mean(found[rate])) for rate in sorted(found)}


def arms_of(result: Result) -> list[dict[str, Label]]:
    """Return the labels of every arm that was tuned, in the order of the plan."""
    found = {
        tuple((name, value) for name, value in m.unit.condition if name not in ("part", "rate"))
        for m in result.units
        if ("part", "tuning") in m.unit.condition
    }
    order = [tuple((k, v) for k, v in m.unit.condition if k not in ("part", "rate")) for m in result.units]
    return [dict(arm) for arm in dict.fromkeys(order) if arm in found]


def combinations(**axes: Iterable[Label]) -> list[dict[str, Label]]:
    """Every combination of the axes' values, as labels of arms.

    >>> combinations(norm=["none", "batch"], depth=[2])
    [{'norm': 'none', 'depth': 2}, {'norm': 'batch', 'depth': 2}]
    """
    names = list(axes)
    return [{name: unit[name] for name in names} for unit in grid([0], **axes)]
