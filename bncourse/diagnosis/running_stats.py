"""What does the learner average? Running statistics, taken apart into the old value's weight and the new one's share.

An update is a weighted mean: old * w + new. Two calls with other old values and the same batch give w, whatever the
batch; the rest is the batch's share, which is compared with every statistic and weight that learners are known to use.
"""

from typing import Any

import numpy as np

from bncourse.diagnosis import call
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.report import Finding, finding, unknown

Array = np.ndarray[Any, Any]


def _read(update: Function, mean: Array, var: Array, probe: Probe, notes: list[str]) -> list[call.Value]:
    result = call.call(update, "running", mean, var, probe.x, momentum=probe.momentum)
    if hasattr(result, "items"):
        result = tuple(result.get(name) for name in ("running_mean", "running_var"))
    new_mean, new_var = call.pair(result, "running")
    named = (("running_mean", new_mean), ("running_var", new_var))
    return [call.per_channel(value, probe.x, name, notes, gradient=False) for name, value in named]


def right_update(mean: Array, var: Array, x: Array, *, momentum: float) -> tuple[Array, Array]:
    """Move the running statistics as PyTorch does: momentum weighs the new value, the variance is the unbiased one."""
    axes = (0, *range(2, x.ndim))
    new_mean, new_var = x.mean(axis=axes), x.var(axis=axes, ddof=1)
    return (1 - momentum) * mean + momentum * new_mean, (1 - momentum) * var + momentum * new_var


def update_sizes(mean: Array, var: Array, probe: Probe) -> tuple[Array, Array]:
    """Sizes of the terms that an update of the mean and of the variance adds, feature by feature."""
    x = probe.x
    return np.abs(mean) + np.abs(x).max(axis=0), np.abs(var) * (1 - probe.momentum) + x.var(axis=0, ddof=1)


def _statistics(name: str, x: Array, eps: float) -> list[tuple[str, Array]]:
    """What may be averaged, and the belief behind it; the right one first."""
    if name == "running_mean":
        return [("", x.mean(axis=0)), ("running-scalar", np.full(x.shape[1], x.mean()))]
    var, biased = x.var(axis=0, ddof=1), x.var(axis=0)
    found = [("", var), ("running-variance-biased", biased), ("running-std-stored", np.sqrt(var))]
    found += [("running-std-stored", np.sqrt(biased)), ("running-scalar", np.full(x.shape[1], x.var(ddof=1)))]
    found.append(("running-scalar", np.full(x.shape[1], x.var())))
    for constant in (eps, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        found += [("running-eps-stored", var + constant), ("running-eps-stored", biased + constant)]
        found += [("running-std-stored", np.sqrt(value + constant)) for value in (var, biased)]
    return found


def _explain(name: str, weight: Array, share: Array, probe: Probe, allowed: Array) -> str | None:
    """Name the belief behind an old value's weight and a new value's share."""
    m = probe.momentum
    weights = [
        ("", 1 - m, m),
        ("momentum-swapped", m, 1 - m),
        ("running-not-updated", 1.0, 0.0),
        ("running-overwritten", 0.0, 1.0),
        ("running-counted-twice", (1 - m) ** 2, 1 - (1 - m) ** 2),
        ("running-not-decayed", 1.0, m),
        ("running-not-decayed", 1.0, 1.0),
    ]
    for both in (1, 2):
        for belief, old, new in weights:
            for other, statistic in _statistics(name, probe.x, probe.eps):
                if bool(belief) + bool(other) != both:
                    continue
                near = (np.abs(weight - old) <= allowed).all()
                if near and (np.abs(share - new * statistic) <= allowed).all():
                    return belief or other
    return None


@np.errstate(all="ignore")
def diagnose_update(update: Function, *, seed: int, notes: list[str]) -> list[Finding]:
    """Find what is wrong with an update of running statistics; the first finding names the more basic belief."""
    probe = make_probe(seed)
    other_mean, other_var = probe.running_mean + 1.5, probe.running_var * 2 + 0.5
    start_mean, start_var = np.zeros_like(probe.running_mean), np.ones_like(probe.running_var)
    starts = [(probe.running_mean, probe.running_var), (other_mean, other_var), (start_mean, start_var)]
    try:
        results = [_read(update, mean, var, probe, notes) for mean, var in starts]
    except call.Slip as slip:
        return [slip.finding]
    found: list[Finding] = []
    for position, name in enumerate(("running_mean", "running_var")):
        values = [result[position] for result in results]
        allowed = max(probe.allowed(value.dtype) for value in values)
        expected = [right_update(mean, var, probe.x, momentum=probe.momentum)[position] for mean, var in starts]
        sizes = [update_sizes(mean, var, probe)[position] for mean, var in starts]
        wrong = [
            bool((np.abs(value.array - right) > allowed * size).any())
            for value, right, size in zip(values, expected, sizes, strict=True)
        ]
        if not any(wrong):
            continue
        belief: str | None
        if wrong == [False, False, True]:
            belief = "running-first-batch-taken-over"
        else:
            old, other = starts[0][position], starts[1][position]
            weight = (values[1].array - values[0].array) / (other - old)
            share = values[0].array - weight * old
            belief = _explain(name, weight, share, probe, 10 * allowed * sizes[1])
        found.append(finding(belief, name) if belief else unknown(name))
    if len(found) == 2 and found[0].belief and found[0].belief == found[1].belief:
        found = [finding(found[0].belief)]
    return found
