"""What does the learner average? Running statistics, taken apart into the old value's weight and the new one's share.

An update is a weighted mean: old * weight + share. Every weight and every statistic that learners are known to use
makes a program; the one that gives the student's numbers, also on batches that the search has not used, is said.
"""

from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis import call
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.catalogue import order_of
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.report import Finding, finding, unknown
from bncourse.diagnosis.rules import BATCH_NORM, Rules
from bncourse.diagnosis.transform_families import Switches
from bncourse.diagnosis.transforms import statistics_of
from bncourse.diagnosis.trials import FRESH

Array = np.ndarray[Any, Any]

NAMES = ("running_mean", "running_var")
CONVENTIONAL = {
    "momentum-swapped": "Your momentum weighs the old value; PyTorch's weighs the new one.",
    "running-variance-biased": "Your running_var averages the biased variance; PyTorch averages the unbiased one.",
}
"""What is a mistake in this course, and a convention elsewhere."""


def _read(update: Function, mean: Array, var: Array, probe: Probe, notes: list[str]) -> list[call.Value]:
    result = call.call(update, "running", mean, var, probe.x, momentum=probe.momentum)
    if hasattr(result, "items"):
        result = tuple(result.get(name) for name in NAMES)
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
    rows = probe.rows(probe.x)
    return np.abs(mean) + np.abs(rows).max(axis=0), np.abs(var) * (1 - probe.momentum) + rows.var(axis=0, ddof=1)


class Program(NamedTuple):
    """An update of one statistic: what it believes, and what it makes of an old value."""

    beliefs: tuple[str, ...]
    new: Array


def _statistics(name: str, probe: Probe, rules: Rules, switches: Switches | None) -> list[tuple[str, Array]]:
    """What may be averaged, and the belief behind it: the right one, that of the student's own forward pass, others."""
    found = _known_statistics(name, probe, rules)
    own = statistics_of(probe, switches) if switches is not None else None
    if own is not None:
        found.append(("", own[NAMES.index(name)]))
    return found


def _known_statistics(name: str, probe: Probe, rules: Rules) -> list[tuple[str, Array]]:
    x, eps = probe.rows(probe.x), probe.eps
    mean = x.mean(axis=0)
    if name == "running_mean":
        return [("", mean), ("running-scalar", np.full_like(mean, x.mean())), ("running-sum-for-mean", x.sum(axis=0))]
    var, biased = x.var(axis=0, ddof=1), x.var(axis=0)
    found = [("", var), ("running-variance-biased", biased), ("running-std-stored", np.sqrt(var))]
    if rules.running_variance == "biased":
        found[:2] = [("", biased), ("running-variance-unbiased", var)]
    found += [("running-std-stored", np.sqrt(biased))]
    count = len(x)
    if rules.running_variance != "biased":
        found += [("running-bessel-inverted", biased * (count - 1) / count)]
        found += [("running-bessel-twice", var * count / (count - 1))]
    for value in (x.var(ddof=1), x.var(), biased.mean(), var.mean()):
        found.append(("running-scalar", np.full_like(mean, value)))
    found += [("running-var-of-mean", mean), ("running-var-about-zero", (x * x).mean(axis=0))]
    found.append(("running-sum-for-mean", biased * len(x)))
    for constant in (eps, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8):
        found += [("running-eps-stored", var + constant), ("running-eps-stored", biased + constant)]
        found += [("running-std-stored", np.sqrt(value + constant)) for value in (var, biased)]
        found += [("running-inverse-std-stored", 1 / np.sqrt(value + constant)) for value in (var, biased)]
    return found


WEIGHTS = (
    "",
    "momentum-swapped",
    "running-not-updated",
    "running-overwritten",
    "running-counted-twice",
    "running-not-decayed",
    "running-not-decayed",
    "running-not-decayed",
    "running-not-decayed",
    "running-not-decayed",
    "running-moved-away",
    "momentum-hard-coded",
)


def _weights(m: float, constant: float) -> list[tuple[float, float]]:
    """Weight of the old value and of the new one, for each of `WEIGHTS`."""
    twice = (1 - m) ** 2
    found = [(1 - m, m), (m, 1 - m), (1.0, 0.0), (0.0, 1.0), (twice, 1 - twice), (1.0, m), (1.0, 1.0), (1 - m, 1.0)]
    return [*found, (1.0, 1 - m), (m, 1.0), (1 + m, -m), (1 - constant, constant)]


def _programs(
    name: str, statistics: list[tuple[str, Array]], old: Array, probe: Probe, constant: float
) -> list[Program]:
    """Every update that learners are known to write; the same ones in the same order for every probe."""
    m = probe.momentum
    values = np.stack([statistic for _, statistic in statistics])
    found = []
    for belief, (weight, share) in zip(WEIGHTS, _weights(m, constant), strict=True):
        for (other, _), new in zip(statistics, weight * old + share * values, strict=True):
            found.append(Program(tuple(one for one in (belief, other) if one), new))
    if name == "running_var":
        with np.errstate(all="ignore"):
            root = np.sqrt(old)
        for var in values[:2]:
            for keep, take, swapped in ((1 - m, m, ()), (m, 1 - m, ("momentum-swapped",))):
                averaged = keep * root + take * np.sqrt(var)
                for new in (averaged, averaged**2, keep * (keep * old + take * var) + take * np.sqrt(var)):
                    found.append(Program((*swapped, "running-roots-averaged"), new))
    return found


class _Case:
    """An update under the eye: the student's results for several old values, on one probe."""

    def __init__(self, update: Function, probe: Probe, notes: list[str]) -> None:
        self.update, self.probe = update, probe
        other_mean, other_var = probe.running_mean + 1.5, probe.running_var * 2 + 0.5
        start = np.zeros_like(probe.running_mean), np.ones_like(probe.running_var)
        self.starts = [(probe.running_mean, probe.running_var), (other_mean, other_var), start]
        self.results = [_read(update, mean.copy(), var.copy(), probe, notes) for mean, var in self.starts]
        self.sizes = [update_sizes(mean, var, probe) for mean, var in self.starts]

    def fits(self, position: int, start: int, new: Array) -> bool:
        """Whether a program gives what the student's gave."""
        return bool(self.fitting(position, start, new[None])[0])

    def fitting(self, position: int, start: int, new: Array) -> Array:
        """Which of several programs, in rows, give what the student's gave."""
        value = self.results[start][position]
        allowed = 10 * self.probe.allowed(value.dtype) * self.sizes[start][position]
        return np.asarray((np.abs(value.array - new) <= np.maximum(allowed, 1e-9 * np.abs(new))).all(axis=1))

    def follows_the_other(self, position: int) -> bool:
        """Whether another old value of the other statistic gives another new value of this one."""
        mean, var = self.starts[0]
        other_mean, other_var = (mean.copy(), 2 * var) if position == 0 else (mean + 1.5, var.copy())
        try:
            after = _read(self.update, other_mean, other_var, self.probe, [])[position].array
        except call.Slip:
            return False
        return bool(np.abs(after - self.results[0][position].array).max() > 1e-6)

    def weight(self, position: int) -> float:
        """Weight of the old value, if it is one number."""
        values = [result[position].array for result in self.results]
        weights = (values[1] - values[0]) / (self.starts[1][position] - self.starts[0][position])
        return float(weights.mean()) if np.ptp(weights) < 1e-7 else np.nan


@np.errstate(all="ignore")
def diagnose_update(
    update: Function,
    *,
    seed: int,
    notes: list[str],
    rules: Rules = BATCH_NORM,
    switches: Switches | None = None,
) -> list[Finding]:
    """Find what is wrong with an update of running statistics: every independent belief.

    Parameters
    ----------
    update : callable
        The student's.
    seed : int
        Of the probes.
    notes : list of str
        Harmless oddities are appended to it.
    rules : Rules
        Whose convention it follows.
    switches : Switches, optional
        The program that explains a wrong forward pass; averaging that one's statistics is no second mistake.
    """
    probes = [make_probe(seed + more, spatial=rules.spatial) for more in (0, *FRESH)]
    try:
        cases = [_Case(update, probe, notes if probe is probes[0] else []) for probe in probes]
    except call.Slip as slip:
        return [slip.finding]
    named = [_explain(cases, position, rules, switches) for position in (0, 1)]
    accepted = _accepted(named, rules, notes)
    found: list[Finding] = []
    for position, name in enumerate(NAMES):
        beliefs = named[position]
        if beliefs is None:
            mixed = all(case.follows_the_other(position) for case in cases)
            found.append(finding("running-statistics-mixed", name) if mixed else unknown(name))
            continue
        for belief in beliefs:
            if belief in accepted:
                continue
            both = all(one is not None and belief in one for one in named)
            if both and position:
                continue
            found.append(finding(belief) if both else finding(belief, name))
    return found


def _accepted(named: list[tuple[str, ...] | None], rules: Rules, notes: list[str]) -> set[str]:
    """Beliefs that are conventions where the rules leave them open."""
    said = {belief for one in named if one for belief in one}
    accepted = set()
    if rules.running_variance == "either":
        accepted.add("running-variance-biased")
    if rules.momentum == "either" and not any(one is not None and _weighs_the_new(one) for one in named):
        accepted.add("momentum-swapped")
    if rules.momentum == "constant":
        accepted |= {"momentum-hard-coded", "momentum-swapped"}
    notes.extend(CONVENTIONAL[belief] for belief in sorted(said & accepted & CONVENTIONAL.keys()))
    return accepted


def _weighs_the_new(beliefs: tuple[str, ...]) -> bool:
    """Whether an update weighs the new value by the momentum, and so contradicts one that weighs the old value."""
    return not set(beliefs) & set(WEIGHTS[1:])


def _explain(cases: list[_Case], position: int, rules: Rules, switches: Switches | None) -> tuple[str, ...] | None:
    """Name the fewest beliefs that give these results; None where none do."""
    name = NAMES[position]
    constant = 1 - cases[0].weight(position)

    statistics = {id(case): _statistics(name, case.probe, rules, switches) for case in cases[:1]}

    def programs(case: _Case, start: int) -> list[Program]:
        if id(case) not in statistics:
            statistics[id(case)] = _statistics(name, case.probe, rules, switches)
        return _programs(name, statistics[id(case)], case.starts[start][position], case.probe, constant)

    if all(case.fits(position, start, _right(case, start, position, rules)) for case in cases for start in range(3)):
        return ()
    searched = [programs(cases[0], start) for start in range(3)]
    gives = [
        cases[0].fitting(position, start, np.stack([program.new for program in searched[start]])) for start in (0, 1)
    ]
    fitting = [int(number) for number in np.flatnonzero(gives[0] & gives[1])]
    if not fitting:
        return None
    fresh = [(case, start, programs(case, start)) for case in cases[1:] for start in (0, 1)]

    def order(number: int) -> tuple[int, bool, tuple[int, ...]]:
        beliefs = searched[0][number].beliefs
        return len(beliefs), "running-eps-stored" in beliefs, order_of(beliefs)  # a tiny eps may be too small to see

    for number in sorted(fitting, key=order):
        if all(case.fits(position, start, known[number].new) for case, start, known in fresh):
            beliefs = searched[0][number].beliefs
            first = cases[0].fits(position, 2, searched[2][number].new)
            return beliefs if first else (*beliefs, "running-first-batch-taken-over")
    return None


def _right(case: _Case, start: int, position: int, rules: Rules) -> Array:
    """What is right for one start."""
    mean, var = case.starts[start]
    if rules.running_variance != "biased" or position == 0:
        return right_update(mean, var, case.probe.x, momentum=case.probe.momentum)[position]
    biased = case.probe.rows(case.probe.x).var(axis=0)
    return np.asarray((1 - case.probe.momentum) * var + case.probe.momentum * biased)
