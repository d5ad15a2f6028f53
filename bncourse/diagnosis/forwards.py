"""What the learner believed about the forward pass, in training, on feature maps, and in inference."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from bncourse.diagnosis import call, transforms
from bncourse.diagnosis.bounds import distance
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.catalogue import beliefs, order_of
from bncourse.diagnosis.expected import right_output
from bncourse.diagnosis.forward_fingerprints import axes_and_brackets, precedences
from bncourse.diagnosis.forward_programs import explained, is_subtracted
from bncourse.diagnosis.forward_runs import Run, is_constant, is_single
from bncourse.diagnosis.laws import broken_forward_laws
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.report import Finding, finding, unknown
from bncourse.diagnosis.rules import BATCH_NORM, Rules
from bncourse.diagnosis.transform_families import FORWARD, RIGHT
from bncourse.diagnosis.transform_search import Explanation

Array = np.ndarray[Any, Any]

IMPRECISE = 1e-5
"""What is right to this relative error, and not to rounding, was rounded or differenced on the way."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A forward pass as it was found."""

    kind: str
    probe: Probe
    findings: tuple[Finding, ...] = ()
    explanation: Explanation | None = None
    """Which program of the family it is, if it is one and not the right one."""
    y: Array | None = None
    dtype: Any = np.float64
    caches: list[Any] = field(default_factory=list)
    """What it returned beside y; each serves one backward pass."""
    no_cache: bool = False
    """Whether it returned None beside y."""
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
    forward: Function, seed: int, notes: list[str], *, rules: Rules = BATCH_NORM, repeat: bool = True
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
    rules : Rules
        Which normalization it is meant for.
    repeat : bool
        Whether it is called twice, to see that it answers the same.
    """
    probe = _probe(seed, rules)
    kind = transforms.kind_of(probe)
    part = "conv" if kind == "conv" else "forward"
    caches: list[Any] = []

    def run(other: Probe) -> call.Value:
        result = call.call(forward, part, other.x, other.gamma, other.beta, eps=other.eps)
        y, cache = call.pair(result, part)
        if other is probe:
            caches.append(cache)
        return call.like(y, other.x, part, notes)

    laws = partial(broken_forward_laws, forward, probe)
    seen = _look(Run(run, kind, part, probe, rules.eps), axes_and_brackets, laws, repeat=repeat)
    return replace(seen, caches=caches, repeat=repeat, no_cache=bool(caches) and all(one is None for one in caches))


def _probe(seed: int, rules: Rules) -> Probe:
    return make_probe(seed, spatial=rules.spatial, layout=rules.layout, eps=rules.eps)


@np.errstate(all="ignore")
def look_at_inference(
    inference: Function,
    seed: int,
    notes: list[str],
    *,
    rules: Rules = BATCH_NORM,
    repeat: bool = True,
    trained: Explanation | None = None,
) -> Seen:
    """Run a forward pass in inference and say what it believes; it may return y alone or (y, cache).

    Parameters
    ----------
    inference, seed, notes, rules, repeat
        As in `look_at_forward`.
    trained : Explanation, optional
        Of the forward pass in training; a slip that inference shares with it is called the same.
    """
    rules = rules._replace(eps=rules.eps if rules.inference_eps is None else rules.inference_eps)
    probe = _probe(seed, rules)
    part = "inference"
    caches: list[Any] = []

    def run(other: Probe) -> call.Value:
        statistics = other.running_mean, other.running_var
        result = call.call(inference, part, other.x, other.gamma, other.beta, *statistics, eps=other.eps)
        packed = isinstance(result, (tuple, list)) and len(result) == 2
        if packed and other is probe:
            caches.append(result[1])
        return call.like(result[0] if packed else result, other.x, part, notes)

    running = Run(run, part, part, probe, rules.eps)
    seen = _look(running, precedences, list, repeat=repeat)
    if trained is not None and [one.belief for one in seen.findings] == [None]:
        seen = _as_trained(running, trained, seen)
    return replace(seen, caches=caches, repeat=repeat)


def _as_trained(run: "Run", trained: Explanation, seen: "Seen") -> "Seen":
    """Name a slip of inference that is one of training: the same root, the same scale and shift."""
    switches = RIGHT._replace(root=trained.switches.root, affine=trained.switches.affine)
    if switches == RIGHT:
        return seen
    if not run.survives(lambda other: transforms.transform(other, switches, inference=True).y):
        return seen
    turned = {switches.root, switches.affine} - {"inside", "scale-shift"}
    family = FORWARD
    named = [family[key][one] for key in ("root", "affine") for one in turned if one in family[key]]
    found = tuple(_in_part(one, run.part, run.probe.layout.kind) for one in named)
    return replace(seen, findings=found, explanation=Explanation(switches, tuple(named)))


def _look(
    run: Run,
    fingerprints: Callable[[Probe], list[tuple[str, Array]]],
    laws: Callable[[], list[tuple[str, str]]],
    *,
    repeat: bool,
) -> Seen:
    kind, probe = run.kind, run.probe
    right = right_output(probe, inference=run.inference)
    try:
        value = run.call(probe)
        again = run.call(probe) if repeat else value
    except call.Slip as slip:
        if run.inference and slip.finding.belief == "not-finite" and is_subtracted(run):
            return Seen(kind, probe, (_in_part("inference-eps-subtracted", run.part, probe.layout.kind),))
        return Seen(kind, probe, (slip.finding,))
    y, size = value.array, transforms.size_of(probe)
    allowed, dtype = probe.allowed(value.dtype), value.dtype

    def seen(*named: str, explanation: Explanation | None = None) -> Seen:
        found = tuple(_in_part(belief, run.part, probe.layout.kind) for belief in named) or (unknown(run.part),)
        return Seen(kind, probe, found, explanation, y, dtype)

    if distance(y, again.array, size) > allowed:
        return seen("not-repeatable")
    error = distance(y, right, size)
    if error <= allowed:
        return Seen(kind, probe, (), None, y, value.dtype)
    if is_single(run, y):
        run, allowed, dtype = replace(run, single=True), probe.allowed(np.float32), np.float32
    if error <= IMPRECISE:
        return seen("imprecise")
    explanation = explained(run, y, allowed)
    if explanation is not None:
        return seen(*explanation.beliefs, explanation=explanation)
    for position, (belief, expected) in enumerate(fingerprints(probe)):
        near = distance(y, expected, size) <= allowed
        if near and run.survives(lambda other, position=position: fingerprints(other)[position][1]):  # type: ignore[misc]
            return seen(belief)
    try:
        if is_constant(run, y):
            return seen("constant-answer")
        broken = laws() if not run.inference else []
    except call.Slip as slip:
        return Seen(kind, probe, (slip.finding,))
    return seen(*sorted((belief for belief, _ in broken), key=lambda one: order_of((one,)))[:1])


def _in_part(belief: str, part: str, kind: str) -> Finding:
    """Name where it shows only if the belief could show elsewhere."""
    return finding(belief, None if part == "conv" else part, kind=kind, maps=part == "conv")
