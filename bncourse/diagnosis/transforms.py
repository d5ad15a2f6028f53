"""One transform with switches: what a program that normalizes in this way computes."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.probes import Probe
from bncourse.diagnosis.transform_families import Switches

Array = np.ndarray[Any, Any]


class Normalized(NamedTuple):
    """What a program of the family computes; all arrays broadcast against x."""

    y: Array
    x_hat: Array
    inv_std: Array
    gain: Array
    """What x_hat is multiplied by."""


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
    "double": lambda var, eps: 1 / np.sqrt(np.sqrt(var) + eps),
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


def moments_of(probe: Probe, switches: Switches, *, inference: bool) -> tuple[Array, Array]:
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
        center, var = moments or moments_of(probe, switches, inference=inference)
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


def size_of(probe: Probe) -> Array:
    """Size of the terms that y is made of, by channel."""
    across = (1, -1) + (1,) * (probe.x.ndim - 2)
    return np.asarray((np.abs(probe.gamma) * 2 + np.abs(probe.beta)).reshape(across))
