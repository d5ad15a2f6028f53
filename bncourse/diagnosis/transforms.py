"""One transform with switches: every way of normalizing that learners are known to write, and their combinations.

A forward pass that differs from the right one is compared with this family: with one switch turned, then with two.
Each setting of a switch that is not the right one is a belief of the catalogue.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.probes import Probe, make_probe

Array = np.ndarray[Any, Any]

CONSTANTS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12)
"""Values that learners write in the place of eps."""
USUAL = (1e-3, 1e-5, 1e-8)
"""Those that are tried together with a second mistake."""


class Switches(NamedTuple):
    """How a program normalizes; the defaults are right in training."""

    axes: str = "batch"
    center: str = "mean"
    variance: str = "biased"
    root: str = "inside"
    affine: str = "scale-shift"


FORWARD: dict[str, dict[str, str]] = {
    "axes": {"sample": "layer-norm", "all": "scalar-statistics"},
    "center": {"none": "mean-not-subtracted"},
    "variance": {"unbiased": "variance-unbiased", "sum": "variance-is-sum", "about-zero": "variance-about-zero"},
    "root": {
        "outside": "eps-outside-root",
        "ignored": "eps-ignored",
        "subtracted": "eps-subtracted",
        "no-root": "variance-without-root",
        "inverse": "multiplied-by-std",
        "not-divided": "variance-not-divided",
        **{f"constant {value}": "eps-hard-coded" for value in CONSTANTS},
        **{f"constant outside {value}": "eps-hard-coded" for value in CONSTANTS},
    },
    "affine": {
        "no-scale": "gamma-missing",
        "one-plus": "gamma-one-plus",
        "no-shift": "beta-missing",
        "none": "affine-missing",
        "shift-first": "affine-order",
    },
}

CONV: dict[str, dict[str, str]] = {
    **FORWARD,
    "axes": {
        "samples": "conv-per-pixel",
        "all": "conv-channels-shared",
        "places": "conv-instance-norm",
        "sample": "conv-layer-norm",
        "channels-last": "conv-channels-last",
    },
    "variance": {**FORWARD["variance"], "sum over samples": "conv-count"},
}

INFERENCE: dict[str, dict[str, str]] = {
    "axes": {},
    "center": {"batch": "inference-batch-mean", "none": "inference-mean-missing"},
    "variance": {"batch": "inference-batch-variance", "batch-unbiased": "inference-batch-variance"},
    "root": {
        "outside": "inference-eps-outside-root",
        "ignored": "inference-eps-ignored",
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
    },
}
TOGETHER = {frozenset({"inference-batch-mean", "inference-batch-variance"}): "inference-batch-statistics"}
"""Two switches that one belief turns."""


class Normalized(NamedTuple):
    """What a program of the family computes."""

    y: Array
    x_hat: Array
    inv_std: Array
    gain: Array
    """What x_hat is multiplied by."""


def _axes(name: str, ndim: int) -> tuple[int, ...]:
    places = tuple(range(2, ndim))
    named = {
        "batch": (0, *places),
        "sample": (1, *places),
        "all": tuple(range(ndim)),
        "samples": (0,),
        "places": places,
        "channels-last": tuple(range(ndim - 1)),
    }
    return named[name]


def _inverse(root: str, var: Array, eps: float) -> Array:
    """One over the standard deviation, as a program with this setting would have it."""
    if root.startswith("constant outside"):
        return np.asarray(1 / (np.sqrt(var) + float(root.split()[-1])))
    if root.startswith("constant"):
        return np.asarray(1 / np.sqrt(var + float(root.split()[-1])))
    if root == "not-divided":
        return np.ones_like(var)
    formulas: dict[str, Callable[[], Array]] = {
        "inside": lambda: 1 / np.sqrt(var + eps),
        "outside": lambda: 1 / (np.sqrt(var) + eps),
        "ignored": lambda: 1 / np.sqrt(var),
        "subtracted": lambda: 1 / np.sqrt(var - eps),
        "no-root": lambda: 1 / (var + eps),
        "no-root-no-eps": lambda: 1 / var,
        "inverse": lambda: np.sqrt(var + eps),
        "twice": lambda: 1 / np.sqrt(var + 2 * eps),
    }
    return np.asarray(formulas[root]())


def transform(probe: Probe, switches: Switches, *, inference: bool = False) -> Normalized:
    """Run the program with these switches on a probe."""
    x = probe.x
    across = (1, -1) + (1,) * (x.ndim - 2)
    axes = _axes(switches.axes, x.ndim)
    with np.errstate(all="ignore"):
        mean = x.mean(axis=axes, keepdims=True)
        if inference and switches.center == "mean":
            mean = probe.running_mean.reshape(across)
        center = np.zeros_like(mean) if switches.center == "none" else mean
        about = np.zeros_like(mean) if switches.variance == "about-zero" else x.mean(axis=axes, keepdims=True)
        squares = (x - about) ** 2
        var = squares.mean(axis=axes, keepdims=True)
        count = squares.size // var.size
        if switches.variance in ("unbiased", "batch-unbiased"):
            var = var * (count / (count - 1))
        elif switches.variance == "sum":
            var = var * count
        elif switches.variance == "sum over samples":
            var = var * (count / x.shape[0])
        elif inference and switches.variance == "biased":
            var = probe.running_var.reshape(across)
        inv_std = _inverse(switches.root, var, probe.eps)
        x_hat = (x - center) * inv_std
        gamma, beta = probe.gamma.reshape(across), probe.beta.reshape(across)
        gain = {"no-scale": np.ones_like(gamma), "none": np.ones_like(gamma), "one-plus": 1 + gamma}.get(
            switches.affine, gamma
        )
        shift = {"no-shift": np.zeros_like(beta), "none": np.zeros_like(beta), "shift-first": gamma * beta}.get(
            switches.affine, beta
        )
        return Normalized(gain * x_hat + shift, x_hat, inv_std, gain)


def _is_unusual(setting: str) -> bool:
    return setting.startswith("constant") and float(setting.split()[-1]) not in USUAL


class Explanation(NamedTuple):
    """Switches that reproduce what was seen, and the beliefs that turned them."""

    switches: Switches
    beliefs: tuple[str, ...]


@lru_cache(maxsize=8)
def programs(kind: str) -> tuple[Explanation, ...]:
    """All programs of a family with at most two switches turned, the simplest first."""
    family = {"forward": FORWARD, "conv": CONV, "inference": INFERENCE}[kind]
    turns = [(switch, setting, belief) for switch, settings in family.items() for setting, belief in settings.items()]
    found = [Explanation(Switches(), ())]
    found += [Explanation(Switches(**{switch: setting}), (belief,)) for switch, setting, belief in turns]
    for one, other in combinations(turns, 2):
        if one[0] == other[0] or _is_unusual(one[1]) or _is_unusual(other[1]):
            continue
        both = frozenset({one[2], other[2]})
        beliefs = (TOGETHER[both],) if both in TOGETHER else (one[2], other[2])
        found.append(Explanation(Switches(**{one[0]: one[1], other[0]: other[1]}), beliefs))
    return tuple(sorted(found, key=lambda explanation: len(explanation.beliefs)))


@lru_cache(maxsize=16)
def _outputs(key: tuple[Any, ...], kind: str, beliefs: int) -> tuple[tuple[Explanation, ...], Array]:
    """All programs that hold so many beliefs, and what they give on the probe of this key."""
    probe = make_probe(key[0], spatial=key[1])
    chosen = tuple(program for program in programs(kind) if len(program.beliefs) == beliefs)
    results = [transform(probe, program.switches, inference=kind == "inference").y for program in chosen]
    return chosen, np.stack(results)


def size_of(probe: Probe) -> Array:
    """Size of the terms that y is made of, by channel."""
    across = (1, -1) + (1,) * (probe.x.ndim - 2)
    return np.asarray((np.abs(probe.gamma) * 2 + np.abs(probe.beta)).reshape(across))


def explain(y: Array, probe: Probe, kind: str, allowed: float) -> Explanation | None:
    """Find the simplest program of the family that gives this y; None if there is none.

    Parameters
    ----------
    y : array
        What the student's function returned.
    probe : Probe
        For which inputs.
    kind : {"forward", "conv", "inference"}
        Which family.
    allowed : float
        Tolerance relative to the size of the terms.
    """
    for beliefs in (1, 2):
        chosen, outputs = _outputs(probe.key, kind, beliefs)
        with np.errstate(all="ignore"):
            worst = (np.abs(outputs - y) / size_of(probe)).reshape(len(chosen), -1).max(axis=1)
        best = int(np.argmin(np.where(np.isfinite(worst), worst, np.inf)))
        if worst[best] <= allowed:
            return chosen[best]
    return None
