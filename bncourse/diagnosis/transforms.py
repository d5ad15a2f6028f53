r"""One transform with switches: every way of normalizing that learners are known to write, and their combinations.

A forward pass that differs from the right one is compared with this family: with one switch turned, then with two.
Each setting of a switch that is not the right one is a belief of the catalogue. What fits is tried again on probes that
the search has not used; of several that fit there, the first of the catalogue is taken.
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.catalogue import order_of
from bncourse.diagnosis.probes import Probe, make_probe

Array = np.ndarray[Any, Any]

CONSTANTS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12)
"""Values that learners write in the place of eps."""
USUAL = (1e-3, 1e-5, 1e-8)
"""Those that are tried together with a second mistake."""


class Switches(NamedTuple):
    """How a program normalizes; the defaults are right in training."""

    axes: str = "sets"
    center: str = "mean"
    variance: str = "biased"
    root: str = "inside"
    affine: str = "scale-shift"


Family = dict[str, dict[str, str]]

ROOTS = {
    "outside": "eps-outside-root",
    "ignored": "eps-ignored",
    "subtracted": "eps-subtracted",
    "no-root": "variance-without-root",
    "no-root-no-eps": "variance-without-root",
    "inverse": "multiplied-by-std",
    "not-divided": "variance-not-divided",
    **{f"constant {value}": "eps-hard-coded" for value in CONSTANTS},
    **{f"constant outside {value}": "eps-hard-coded" for value in CONSTANTS},
}
AFFINES = {
    "no-scale": "gamma-missing",
    "one-plus": "gamma-one-plus",
    "no-shift": "beta-missing",
    "none": "affine-missing",
    "exchanged": "beta-gamma-exchanged",
    "shift-first": "affine-order",
    "shift-subtracted": "shift-subtracted",
    "shift-divided": "shift-divided",
    "shift-divided-scaled": "shift-divided",
}
VARIANCES = {
    "unbiased": "variance-unbiased",
    "sum": "variance-is-sum",
    "about-zero": "variance-about-zero",
    "absolute": "variance-absolute",
    "over-features": "variance-divided-by-features",
    "shared": "variance-shared",
    "shared-about-all": "variance-shared",
    "shared-sum": "variance-shared",
    "shared-sum-over-samples": "variance-shared",
}
FORWARD: Family = {
    "axes": {
        "sample": "layer-norm",
        "all": "scalar-statistics",
        "sets over features": "variance-divided-by-features",
    },
    "center": {"none": "mean-not-subtracted", "added": "mean-added", "shared": "mean-shared"},
    "variance": VARIANCES,
    "root": ROOTS,
    "affine": AFFINES,
}
CONV: Family = {
    **FORWARD,
    "axes": {
        "samples": "conv-per-pixel",
        "all": "conv-channels-shared",
        "places": "conv-instance-norm",
        "sample": "conv-layer-norm",
        "channels-last": "conv-channels-last",
        "channels": "conv-pixel-channels",
        "sets over samples": "conv-count",
    },
    "variance": {**VARIANCES, "sum over samples": "conv-count"},
}
_OTHER: Family = {
    "axes": {"batch": "normalized-over-batch", "samples": "normalized-over-batch", "all": "scalar-statistics"},
    "center": {"none": "mean-not-subtracted", "added": "mean-added"},
    "variance": {name: belief for name, belief in VARIANCES.items() if not name.startswith("shared")},
    "root": ROOTS,
    "affine": AFFINES,
}
LAYER = _OTHER
GROUP: Family = {
    **_OTHER,
    "axes": {
        **_OTHER["axes"],
        "sample": "groups-ignored",
        "places": "group-per-channel",
        "strided": "group-strided",
        "swapped": "group-size-for-count",
    },
}
INSTANCE: Family = {**_OTHER, "axes": {**_OTHER["axes"], "sample": "groups-ignored", "channels": "conv-pixel-channels"}}
RMS: Family = {
    **_OTHER,
    "center": {"mean": "rms-mean-subtracted"},
    "variance": {"biased": "rms-mean-subtracted", "sum-about-zero": "variance-is-sum"},
}
INFERENCE: Family = {
    "axes": {},
    "center": {"batch": "inference-batch-mean", "none": "inference-mean-missing", "added": "inference-mean-added"},
    "variance": {"batch": "inference-batch-variance", "batch-unbiased": "inference-batch-variance"},
    "root": {
        "outside": "inference-eps-outside-root",
        "ignored": "inference-eps-ignored",
        "subtracted": "inference-eps-subtracted",
        "no-root": "inference-running-var-is-std",
        "no-root-no-eps": "inference-running-var-is-std",
        "twice": "inference-eps-twice",
        **{f"constant {value}": "inference-eps-hard-coded" for value in CONSTANTS},
        **{f"constant outside {value}": "inference-eps-hard-coded" for value in CONSTANTS},
    },
    "affine": {
        "no-scale": "inference-without-gamma",
        "one-plus": "inference-gamma-one-plus",
        "no-shift": "inference-without-beta",
        "none": "inference-without-affine",
        "shift-first": "inference-affine-order",
        "shift-subtracted": "inference-shift-subtracted",
        "shift-divided": "inference-shift-divided",
        "shift-divided-scaled": "inference-shift-divided",
    },
}
FAMILIES = {
    "forward": FORWARD,
    "conv": CONV,
    "inference": INFERENCE,
    "layer": LAYER,
    "group": GROUP,
    "instance": INSTANCE,
    "rms": RMS,
}
TOGETHER = {
    frozenset({"inference-batch-mean", "inference-batch-variance"}): "inference-batch-statistics",
    frozenset({"variance-absolute", "variance-without-root"}): "variance-absolute",
}
"""Two switches that one belief turns."""
RIGHT = Switches()
RIGHT_RMS = Switches(center="none", variance="about-zero")


class Normalized(NamedTuple):
    """What a program of the family computes; all arrays broadcast against x."""

    y: Array
    x_hat: Array
    inv_std: Array
    gain: Array
    """What x_hat is multiplied by."""


def right_switches(kind: str) -> Switches:
    """Which settings are right for a family."""
    return RIGHT_RMS if kind == "rms" else RIGHT


def kind_of(probe: Probe, *, inference: bool = False) -> str:
    """Name of the family of a probe."""
    if inference:
        return "inference"
    if probe.layout.kind == "batch":
        return "conv" if probe.x.ndim > 2 else "forward"
    return probe.layout.kind


def mean_over(name: str, array: Array, probe: Probe) -> Array:
    """Mean over the sets of this name, to broadcast against x."""
    places = tuple(range(2, array.ndim))
    layout = probe.layout
    if name == "sets":
        if layout.kind == "batch":
            return np.asarray(array.mean(axis=(0, *places), keepdims=True))
        matrix = layout.rows(array)
        return layout.back(np.broadcast_to(matrix.mean(axis=0), matrix.shape), array.shape)
    if name.startswith("sets over"):
        count = array.shape[0 if name.endswith("samples") else 1]
        return np.asarray(array.sum(axis=(0, *places), keepdims=True) / count)
    if name in ("strided", "swapped"):
        samples, channels = array.shape[:2]
        size = channels // layout.groups
        shape = (samples, size, layout.groups, *array.shape[2:])
        axes = (1, *range(3, array.ndim + 1)) if name == "strided" else tuple(range(2, array.ndim + 1))
        mean = array.reshape(shape).mean(axis=axes, keepdims=True)
        return np.broadcast_to(mean, shape).reshape(array.shape)
    axes = {
        "batch": (0, *places),
        "sample": (1, *places),
        "all": tuple(range(array.ndim)),
        "samples": (0,),
        "places": places,
        "channels-last": tuple(range(array.ndim - 1)),
        "channels": (1,),
    }[name]
    return np.asarray(array.mean(axis=axes, keepdims=True))


def _count(name: str, probe: Probe) -> int:
    """Values that share a mean, for sets of this name."""
    samples, channels = probe.x.shape[:2]
    places = math.prod(probe.x.shape[2:])
    sizes = {
        "batch": samples * places,
        "sample": channels * places,
        "all": samples * channels * places,
        "samples": samples,
        "places": places,
        "channels": channels,
        "channels-last": samples * channels * math.prod(probe.x.shape[2:-1]),
        "swapped": probe.layout.groups * places,
    }
    return int(sizes.get(name, probe.count))


def _inverse(root: str, var: Array, eps: float) -> Array:
    """One over the standard deviation, as a program with this setting would have it."""
    if root.startswith("constant outside"):
        return np.asarray(1 / (np.sqrt(var) + float(root.split()[-1])))
    if root.startswith("constant"):
        return np.asarray(1 / np.sqrt(var + float(root.split()[-1])))
    if root == "not-divided":
        return np.ones_like(var)
    return np.asarray(INVERSES[root](var, eps))


INVERSES: dict[str, Callable[[Array, float], Any]] = {
    "inside": lambda var, eps: 1 / np.sqrt(var + eps),
    "outside": lambda var, eps: 1 / (np.sqrt(var) + eps),
    "ignored": lambda var, eps: 1 / np.sqrt(var),
    "subtracted": lambda var, eps: 1 / np.sqrt(var - eps),
    "no-root": lambda var, eps: 1 / (var + eps),
    "no-root-no-eps": lambda var, eps: 1 / var,
    "inverse": lambda var, eps: np.sqrt(var + eps),
    "twice": lambda var, eps: 1 / np.sqrt(var + 2 * eps),
}
"""One over the standard deviation, from the variance and eps."""


def _variance(switches: Switches, mean: Array, probe: Probe) -> Array:
    """The variance of a program, before eps."""
    x, setting = probe.x, switches.variance
    squares = (x - (0 if setting.endswith("about-zero") else mean)) ** 2
    squares = np.sqrt(squares) if setting == "absolute" else squares
    var = mean_over(switches.axes, squares, probe)
    count = _count(switches.axes, probe)
    if setting in ("unbiased", "batch-unbiased"):
        return np.asarray(var * (count / (count - 1)))
    if setting in ("sum", "sum-about-zero"):
        return np.asarray(var * count)
    if setting == "over-features":
        other = x.shape[1] if probe.layout.kind == "batch" else x.shape[0]
        return np.asarray(var * (count / other))
    if setting == "sum over samples":
        return np.asarray(var * (count / x.shape[0]))
    if setting in SHARED:
        return np.full_like(var, SHARED[setting](x, squares, count))
    return var


SHARED: dict[str, Callable[[Array, Array, int], Any]] = {
    "shared": lambda x, squares, count: squares.mean(),
    "shared-about-all": lambda x, squares, count: x.var(),
    "shared-sum": lambda x, squares, count: squares.sum(),
    "shared-sum-over-samples": lambda x, squares, count: squares.sum() / count,
}
"""One variance for all, from x, the squared distances, and how many values share a mean."""


def _moments(probe: Probe, switches: Switches, *, inference: bool) -> tuple[Array, Array]:
    """What a program subtracts, and its variance before eps: the same for all programs that differ elsewhere."""
    x = probe.x
    across = (1, -1) + (1,) * (x.ndim - 2)
    with np.errstate(all="ignore"):
        own = mean_over(switches.axes, x, probe)
        running = inference and switches.center in ("mean", "added")
        mean = probe.running_mean.reshape(across) if running else own
        if switches.center == "none":
            mean = np.zeros_like(mean)
        elif switches.center == "added":
            mean = -mean
        elif switches.center == "shared":
            mean = np.full_like(mean, x.mean())
        if inference and switches.variance == "biased":
            return mean, probe.running_var.reshape(across)
        return mean, _variance(switches, own, probe)


def transform(
    probe: Probe, switches: Switches, *, inference: bool = False, moments: tuple[Array, Array] | None = None
) -> Normalized:
    """Run the program with these switches on a probe; its moments are worked out where they are not given."""
    x = probe.x
    across = (1, -1) + (1,) * (x.ndim - 2)
    with np.errstate(all="ignore"):
        center, var = moments or _moments(probe, switches, inference=inference)
        inv_std = _inverse(switches.root, var, probe.eps)
        x_hat = (x - center) * inv_std
        gamma, beta = probe.gamma.reshape(across), probe.beta.reshape(across)
        gain = GAINS[switches.affine](gamma, beta) if switches.affine in GAINS else gamma
        shift = SHIFTS[switches.affine](gamma, beta, inv_std) if switches.affine in SHIFTS else beta
        return Normalized(gain * x_hat + shift, x_hat, inv_std, gain)


GAINS: dict[str, Callable[[Array, Array], Array]] = {
    "no-scale": lambda gamma, beta: np.ones_like(gamma),
    "none": lambda gamma, beta: np.ones_like(gamma),
    "one-plus": lambda gamma, beta: 1 + gamma,
    "exchanged": lambda gamma, beta: beta,
}
"""What a program multiplies by, where that is not gamma."""
SHIFTS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "no-shift": lambda gamma, beta, inv_std: np.zeros_like(beta),
    "none": lambda gamma, beta, inv_std: np.zeros_like(beta),
    "exchanged": lambda gamma, beta, inv_std: gamma,
    "shift-first": lambda gamma, beta, inv_std: gamma * beta,
    "shift-subtracted": lambda gamma, beta, inv_std: -beta,
    "shift-divided": lambda gamma, beta, inv_std: beta * inv_std,
    "shift-divided-scaled": lambda gamma, beta, inv_std: gamma * beta * inv_std,
}
"""What a program adds, where that is not beta."""


def statistics_of(probe: Probe, switches: Switches) -> tuple[Array, Array] | None:
    """Mean and variance of a program in training, one number a channel; None where they are not that."""
    mean = mean_over(switches.axes, probe.x, probe)
    var = _variance(switches, mean, probe)
    if switches.center == "shared":
        mean = np.full_like(mean, probe.x.mean())
    shape = (1, len(probe.gamma), *[1] * (probe.x.ndim - 2))
    if mean.size not in (1, len(probe.gamma)) or var.size not in (1, len(probe.gamma)):
        return None
    return np.broadcast_to(mean, shape).reshape(-1), np.broadcast_to(var, shape).reshape(-1)


def _is_unusual(setting: str) -> bool:
    return setting.startswith("constant") and float(setting.split()[-1]) not in USUAL


class Explanation(NamedTuple):
    """Switches that reproduce what was seen, and the beliefs that turned them."""

    switches: Switches
    beliefs: tuple[str, ...]


@lru_cache(maxsize=16)
def programs(kind: str) -> tuple[Explanation, ...]:
    """All programs of a family with at most two switches turned: the simplest first, then in the catalogue's order."""
    family, right = FAMILIES[kind], right_switches(kind)
    turns = [(switch, setting, belief) for switch, settings in family.items() for setting, belief in settings.items()]
    found = [Explanation(right, ())]
    found += [Explanation(right._replace(**{switch: setting}), (belief,)) for switch, setting, belief in turns]
    for one, other in combinations(turns, 2):
        if one[0] == other[0] or _is_unusual(one[1]) or _is_unusual(other[1]):
            continue
        both = frozenset({one[2], other[2]})
        beliefs = (TOGETHER[both],) if both in TOGETHER else tuple(dict.fromkeys((one[2], other[2])))
        found.append(Explanation(right._replace(**{one[0]: one[1], other[0]: other[1]}), beliefs))
    return tuple(sorted(found, key=lambda one: (len(one.beliefs), order_of(one.beliefs))))


@lru_cache(maxsize=64)
def _outputs(key: tuple[Any, ...], kind: str, beliefs: int) -> tuple[tuple[Explanation, ...], Array]:
    """All programs that hold so many beliefs, and what they give on the probe of this key."""
    probe = make_probe(key[0], spatial=key[1], layout=key[2], eps=key[3])
    chosen = tuple(program for program in programs(kind) if len(program.beliefs) == beliefs)
    inference, moments = kind == "inference", dict[tuple[str, str, str], tuple[Array, Array]]()
    results = []
    for switches in (program.switches for program in chosen):
        decides = (switches.axes, switches.center, switches.variance)
        if decides not in moments:
            moments[decides] = _moments(probe, switches, inference=inference)
        results.append(transform(probe, switches, inference=inference, moments=moments[decides]).y)
    return chosen, np.stack([np.broadcast_to(result, probe.x.shape) for result in results])


def size_of(probe: Probe) -> Array:
    """Size of the terms that y is made of, by channel."""
    across = (1, -1) + (1,) * (probe.x.ndim - 2)
    return np.asarray((np.abs(probe.gamma) * 2 + np.abs(probe.beta)).reshape(across))


def matches(y: Array, probe: Probe, kind: str, allowed: float) -> Iterable[Explanation]:
    """Every program of the family that gives this y: the simplest first, then in the catalogue's order.

    Parameters
    ----------
    y : array
        What the student's function returned.
    probe : Probe
        For which inputs.
    kind : str
        Which family.
    allowed : float
        Tolerance relative to the size of the terms.
    """
    wanted = np.broadcast_to(y, probe.x.shape).ravel()
    size = np.broadcast_to(size_of(probe), probe.x.shape).ravel()
    for beliefs in (1, 2):
        chosen, outputs = _outputs(probe.key, kind, beliefs)
        near = np.arange(len(chosen))
        for part in (slice(FIRST), slice(FIRST, None)):  # the first few values tell most programs apart
            there = outputs.reshape(len(chosen), -1)[near, part]
            with np.errstate(all="ignore"):
                relative = np.abs(there - wanted[part]) / np.maximum(size[part], np.abs(there))
            near = near[relative.max(axis=1, initial=0) <= allowed]
        for position in near:
            yield chosen[position]


FIRST = 8
"""Values of y that are compared before the others are."""


def explain(y: Array, probe: Probe, kind: str, allowed: float) -> Explanation | None:
    """Return the first of `matches`, or None."""
    return next(iter(matches(y, probe, kind, allowed)), None)
