"""What the learner believed about the forward pass, in training, on feature maps, and in inference."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from bncourse.diagnosis import call, transforms
from bncourse.diagnosis.bounds import distance
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.catalogue import beliefs
from bncourse.diagnosis.laws import broken_forward_laws
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.report import Finding, finding, unknown
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]

PLACES = (2, 5)
"""Rows and columns of the feature maps that are tried: unlike one another, the samples and the channels."""

IMPRECISE = 1e-5
"""What is right to this relative error, and not to rounding, was rounded or differenced on the way."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A forward pass as it was found."""

    kind: str
    probe: Probe
    findings: tuple[Finding, ...] = ()
    explanation: transforms.Explanation | None = None
    """Which program of the family it is, if it is one and not the right one."""
    y: Array | None = None
    dtype: Any = np.float64
    caches: list[Any] = field(default_factory=list)
    """What it returned beside y; each serves one backward pass."""
    repeat: bool = True
    """Whether everything is called twice, to see that it answers the same."""

    @property
    def right(self) -> bool:
        """Whether y is right."""
        return not self.findings

    @property
    def may_follow(self) -> bool:
        """Whether a gradient of this wrong forward pass is as much work as the right one's, and so earns its marks."""
        charged = [one.belief for one in self.findings]
        return bool(charged) and all(belief and beliefs()[belief].follow_through for belief in charged)


@np.errstate(all="ignore")
def look_at_forward(
    forward: Function, seed: int, notes: list[str], *, spatial: tuple[int, ...] = (), repeat: bool = True
) -> Seen:
    """Run a forward pass in training and say what it believes.

    Parameters
    ----------
    forward : callable
        The student's.
    seed : int
        Of the probe.
    notes : list of str
        Harmless oddities are appended to it.
    spatial : tuple of int
        Rows and columns, for feature maps.
    repeat : bool
        Whether it is called twice, to see that it answers the same.
    """
    probe = make_probe(seed, spatial=spatial)
    kind, part = ("conv", "conv") if spatial else ("forward", "forward")

    caches: list[Any] = []

    def run(other: Probe) -> call.Value:
        result = call.call(forward, part, other.x, other.gamma, other.beta, eps=other.eps)
        y, cache = call.pair(result, part)
        if other is probe:
            caches.append(cache)
        return call.like(y, other.x, part, notes)

    laws = partial(broken_forward_laws, forward, probe)
    seen = _look(run, kind, part, probe, _right(probe), _reshapes, laws, repeat)
    return replace(seen, caches=caches, repeat=repeat)


@lru_cache(maxsize=64)
def _right(probe: Probe, *, inference: bool = False) -> Array:
    """The right y."""
    if not inference:
        return np.asarray(reference.batch_norm_forward(*probe.wide, eps=probe.eps)[0])
    arguments = probe.x, probe.gamma, probe.beta, probe.running_mean, probe.running_var
    return np.asarray(reference.batch_norm_inference(*arguments, eps=probe.eps)[0])


@np.errstate(all="ignore")
def look_at_inference(inference: Function, seed: int, notes: list[str], *, repeat: bool = True) -> Seen:
    """Run a forward pass in inference and say what it believes; it may return y alone or (y, cache)."""
    probe = make_probe(seed)
    part = "inference"
    caches: list[Any] = []

    def run(other: Probe) -> call.Value:
        statistics = other.running_mean, other.running_var
        result = call.call(inference, part, other.x, other.gamma, other.beta, *statistics, eps=other.eps)
        packed = isinstance(result, (tuple, list)) and len(result) == 2
        if packed and other is probe:
            caches.append(result[1])
        return call.like(result[0] if packed else result, other.x, part, notes)

    seen = _look(run, part, part, probe, _right(probe, inference=True), _precedences, list, repeat)
    return replace(seen, caches=caches, repeat=repeat)


def _look(
    run: Callable[[Probe], call.Value],
    kind: str,
    part: str,
    probe: Probe,
    right: Array,
    fingerprints: Callable[[Probe], list[tuple[str, Array]]],
    laws: Callable[[], list[tuple[str, str]]],
    repeat: bool,
) -> Seen:
    try:
        value = run(probe)
        again = run(probe) if repeat else value
    except call.Slip as slip:
        return Seen(kind, probe, (slip.finding,))
    y, allowed, size = value.array, probe.allowed(value.dtype), transforms.size_of(probe)

    def seen(*named: str, explanation: transforms.Explanation | None = None) -> Seen:
        found = tuple(_in_part(belief, part) for belief in named) or (unknown(part),)
        return Seen(kind, probe, found, explanation, y, value.dtype)

    if distance(y, again.array, size) > allowed:
        return seen("not-repeatable")
    error = distance(y, right, size)
    if error <= allowed:
        return Seen(kind, probe, (), None, y, value.dtype)
    if error <= IMPRECISE:
        return seen("imprecise")
    explanation = transforms.explain(y, probe, kind, allowed)
    if explanation is not None:
        return seen(*_by_constant_feature(explanation, run, probe), explanation=explanation)
    for belief, expected in fingerprints(probe):
        if distance(y, expected, size) <= allowed:
            return seen(belief)
    try:
        if _is_constant(run, probe, y):
            return seen("constant-answer")
        broken = laws() if kind == "forward" else []
    except call.Slip as slip:
        return Seen(kind, probe, (slip.finding,))
    return seen(*(belief for belief, _ in broken[:1]))


def _by_constant_feature(
    explanation: transforms.Explanation, run: Callable[[Probe], call.Value], probe: Probe
) -> tuple[str, ...]:
    """Tell a tiny constant in the place of eps from none at all: without one a constant feature is 0 / 0."""
    prefix = "inference-" if any(belief.startswith("inference-") for belief in explanation.beliefs) else ""
    ignored, constant = f"{prefix}eps-ignored", f"{prefix}eps-hard-coded"
    if not {ignored, constant} & set(explanation.beliefs):
        return explanation.beliefs
    try:
        run(flat(probe))
        found = constant
    except call.Slip:
        found = ignored
    return tuple(found if belief in (ignored, constant) else belief for belief in explanation.beliefs)


def flat(probe: Probe) -> Probe:
    """The same probe with a first feature that does not vary, neither in the batch nor in the running statistics."""
    x, mean, var = probe.x.copy(), probe.running_mean.copy(), probe.running_var.copy()
    x[:, 0], mean[0], var[0] = 2.0, 2.0, 0.0
    return replace(probe, x=x, running_mean=mean, running_var=var)


def _in_part(belief: str, part: str) -> Finding:
    """Name where it shows only if the belief could show elsewhere."""
    return finding(belief, None if part == "conv" else part)


def _is_constant(run: Callable[[Probe], call.Value], probe: Probe, y: Array) -> bool:
    """Whether another batch of the same shape gets the same answer."""
    other = replace(probe, x=np.ascontiguousarray(probe.x[::-1] * 1.3 + 0.7))
    return bool(np.array_equal(run(other).array, y))


def _reshapes(probe: Probe) -> list[tuple[str, Array]]:
    """Feature maps flattened or restored in the wrong order of axes."""
    x, gamma, beta = probe.x, probe.gamma, probe.beta
    if x.ndim == 2:
        return []
    n, c, h, w = x.shape

    def normalize(table: Array) -> Array:
        return reference.batch_norm_forward(table, gamma, beta, eps=probe.eps)[0]

    last = normalize(x.transpose(0, 2, 3, 1).reshape(-1, c))
    turned = normalize(x.transpose(0, 3, 2, 1).reshape(-1, c))
    first = normalize(x.transpose(1, 0, 2, 3).reshape(c, -1).T)
    return [
        ("conv-reshape", normalize(x.reshape(-1, c)).reshape(x.shape)),
        ("conv-axes-not-restored", last.reshape(x.shape)),
        ("conv-axes-not-restored", last.reshape(n, w, h, c).transpose(0, 3, 2, 1)),
        ("conv-axes-not-restored", last.reshape(n, h, c, w).transpose(0, 2, 1, 3)),
        ("conv-axes-not-restored", turned.reshape(n, h, w, c).transpose(0, 3, 1, 2)),
        ("conv-axes-not-restored", first.T.reshape(x.shape)),
        ("conv-axes-not-restored", first.reshape(x.shape)),
    ]


def _precedences(probe: Probe) -> list[tuple[str, Array]]:
    """Brackets lost in gamma * (x - mean) / sqrt(var + eps) + beta."""
    x, gamma, beta, mean, var = probe.x, probe.gamma, probe.beta, probe.running_mean, probe.running_var
    std, root = np.sqrt(var + probe.eps), np.sqrt(var)
    candidates = [
        x - mean / std * gamma + beta,
        gamma * x - mean / std + beta,
        gamma * (x - mean / std) + beta,
        (x - mean) / root + probe.eps * gamma + beta,
        gamma * (x - mean) / root + probe.eps + beta,
        (gamma * x - mean) / std + beta,
        gamma * x / std - mean + beta,
        (gamma * (x - mean) + beta) / std,
        ((x - mean) / std + beta) * gamma,
    ]
    return [("inference-precedence", candidate) for candidate in candidates]
