"""Wrong updates of running statistics. Every function here is wrong on purpose."""

from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import wrong
from bncourse.diagnosis.running_stats import right_update

Array = np.ndarray[Any, Any]
Statistics = tuple[Array, Array]


def _move(old: Array, new: Array, momentum: float) -> Array:
    """The weighted mean that these programs have right."""
    return np.asarray((1 - momentum) * old + momentum * new)


@wrong("momentum-swapped", "running")
def old_weighs_momentum(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return right_update(mean, var, x, momentum=1 - momentum)


@wrong("running-variance-biased", "running")
def biased(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return _move(mean, x.mean(axis=0), momentum), _move(var, x.var(axis=0), momentum)


@wrong("running-std-stored", "running")
def averages_std(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return _move(mean, x.mean(axis=0), momentum), _move(var, x.std(axis=0), momentum)


@wrong("running-eps-stored", "running")
def averages_variance_with_eps(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return _move(mean, x.mean(axis=0), momentum), _move(var, x.var(axis=0, ddof=1) + 1e-5, momentum)


@wrong("running-not-updated", "running")
def returns_the_old(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return mean, var


@wrong("running-overwritten", "running")
def returns_the_batch(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return x.mean(axis=0), x.var(axis=0, ddof=1)


@wrong("running-counted-twice", "running")
def updates_twice(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return right_update(*right_update(mean, var, x, momentum=momentum), x, momentum=momentum)


@wrong("running-not-decayed", "running")
def only_adds(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return mean + momentum * x.mean(axis=0), var + momentum * x.var(axis=0, ddof=1)


@wrong("running-not-decayed", "running")
def adds_the_batch_whole(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return (1 - momentum) * mean + x.mean(axis=0), (1 - momentum) * var + x.var(axis=0, ddof=1)


@wrong("running-bessel-inverted", "running")
def corrects_downward(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    new = x.var(axis=0) * (len(x) - 1) / len(x)
    return _move(mean, x.mean(axis=0), momentum), _move(var, new, momentum)


@wrong("running-bessel-twice", "running")
def corrects_again(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    new = x.var(axis=0, ddof=1) * len(x) / (len(x) - 1)
    return _move(mean, x.mean(axis=0), momentum), _move(var, new, momentum)


@wrong("running-first-batch-taken-over", "running")
def starts_with_the_batch(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    if not mean.any():
        return x.mean(axis=0), x.var(axis=0, ddof=1)
    return right_update(mean, var, x, momentum=momentum)


@wrong("running-scalar", "running")
def axis_forgotten(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    return _move(mean, x.mean(), momentum), _move(var, x.var(ddof=1), momentum)


@wrong("running-moved-away", "running")
def moves_the_other_way(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Statistics:
    new_mean, new_var = x.mean(axis=0), x.var(axis=0, ddof=1)
    return mean + momentum * (mean - new_mean), var + momentum * (var - new_var)
