"""What dx depends on and should not, or should and does not: tests that need no law."""

from typing import Any

import numpy as np

from bncourse.diagnosis import call
from bncourse.diagnosis.trials import Trial

Array = np.ndarray[Any, Any]


def dependence(trial: Trial) -> tuple[str, ...]:
    """Name the first thing that dx should depend on and does not, or should not and does, on every probe."""
    for belief, test in (
        ("batch-sum-missing", _ignores_others),
        ("dy-summed-first", _ignores_order),
        ("deviation-lost", _ignores_deviation),
        ("backward-features-mix", _mixes_sets),
    ):
        try:
            if all(test(one) for one in (trial, *trial.fresh())):
                return (belief,)
        except call.Slip:
            continue
    return ()


def _dx(trial: Trial, inside: Array) -> Array:
    """The student's dx in rows, for gamma * dy in rows."""
    probe = trial.probe
    return probe.rows(trial.part("dx", probe.layout.back(inside / probe.gain, probe.x.shape)).array)


def _same(one: Array, other: Array, size: Array) -> bool:
    return bool(np.abs(one - other).max(initial=0.0) <= 1e-9 * max(float(np.abs(size).max()), 1e-300))


def _inside(trial: Trial) -> Array:
    return np.array(trial.probe.gain * trial.probe.rows(trial.probe.dy))


def _ignores_others(trial: Trial) -> bool:
    before, inside = _dx(trial, _inside(trial)), _inside(trial)
    inside[0] = inside[0] * 3 + 1
    after = _dx(trial, inside)
    return _same(before[1:], after[1:], before) and not _same(before[0], after[0], before)


def _ignores_order(trial: Trial) -> bool:
    inside = _inside(trial)
    before = _dx(trial, inside)
    return bool(np.abs(before).max() > 0) and _same(before, _dx(trial, np.roll(inside, 1, axis=0)), before)


def _ignores_deviation(trial: Trial) -> bool:
    inside = _inside(trial)
    inside[1] = inside[0]
    found = _dx(trial, inside)
    return bool(np.abs(found).max() > 0) and _same(found[0], found[1], found)


def _mixes_sets(trial: Trial) -> bool:
    before, inside = _dx(trial, _inside(trial)), _inside(trial)
    inside[:, 0] = np.roll(inside[:, 0], 1) * 2 + 1
    return not _same(before[:, 1:], _dx(trial, inside)[:, 1:], before)
