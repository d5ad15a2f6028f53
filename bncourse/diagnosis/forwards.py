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
from bncourse.diagnosis.laws import broken_forward_laws
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.report import Finding, finding, unknown
from bncourse.diagnosis.rules import BATCH_NORM, Rules
from bncourse.diagnosis.trials import FRESH
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]

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
    seen = _look(_Run(run, kind, part, probe, rules.eps), _layouts_and_brackets, laws, repeat=repeat)
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
    trained: transforms.Explanation | None = None,
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

    running = _Run(run, part, part, probe, rules.eps)
    seen = _look(running, precedences, list, repeat=repeat)
    if trained is not None and [one.belief for one in seen.findings] == [None]:
        seen = _as_trained(running, trained, seen)
    return replace(seen, caches=caches, repeat=repeat)


def _as_trained(run: "_Run", trained: transforms.Explanation, seen: "Seen") -> "Seen":
    """Name a slip of inference that is one of training: the same root, the same scale and shift."""
    switches = transforms.RIGHT._replace(root=trained.switches.root, affine=trained.switches.affine)
    if switches == transforms.RIGHT:
        return seen
    if not run.survives(lambda other: transforms.transform(other, switches, inference=True).y):
        return seen
    turned = {switches.root, switches.affine} - {"inside", "scale-shift"}
    family = transforms.FORWARD
    named = [family[key][one] for key in ("root", "affine") for one in turned if one in family[key]]
    found = tuple(_in_part(one, run.part, run.probe.layout.kind) for one in named)
    return replace(seen, findings=found, explanation=transforms.Explanation(switches, tuple(named)))


@dataclass(frozen=True)
class _Run:
    """A forward pass, ready to be called on any probe."""

    call: Callable[[Probe], call.Value]
    kind: str
    part: str
    probe: Probe
    eps: float | None
    single: bool = False
    """Whether it works in single precision, whatever it returns."""

    @property
    def inference(self) -> bool:
        return self.kind == "inference"

    def fresh(self) -> list[Probe]:
        """Probes that the search has not used."""
        seed, spatial, layout, eps = self.probe.key
        return [make_probe(seed + more, spatial=spatial, layout=layout, eps=eps) for more in FRESH]

    def survives(self, predict: Callable[[Probe], Array]) -> bool:
        """Whether a mistaken program gives the student's numbers on probes that the search has not used."""
        try:
            for probe in self.fresh():
                found, expected = self.call(probe), predict(probe)
                size = np.maximum(transforms.size_of(probe), np.abs(expected))
                dtype = np.float32 if self.single else found.dtype
                if distance(found.array, np.broadcast_to(expected, probe.x.shape), size) > probe.allowed(dtype):
                    return False
        except call.Slip:
            return False
        return True


def _look(
    run: _Run,
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
        if run.inference and slip.finding.belief == "not-finite" and _is_subtracted(run):
            return Seen(kind, probe, (_in_part("inference-eps-subtracted", run.part, probe.layout.kind),))
        return Seen(kind, probe, (slip.finding,))
    y, size = value.array, transforms.size_of(probe)
    allowed, dtype = probe.allowed(value.dtype), value.dtype

    def seen(*named: str, explanation: transforms.Explanation | None = None) -> Seen:
        found = tuple(_in_part(belief, run.part, probe.layout.kind) for belief in named) or (unknown(run.part),)
        return Seen(kind, probe, found, explanation, y, dtype)

    if distance(y, again.array, size) > allowed:
        return seen("not-repeatable")
    error = distance(y, right, size)
    if error <= allowed:
        return Seen(kind, probe, (), None, y, value.dtype)
    if _is_single(run, y):
        run, allowed, dtype = replace(run, single=True), probe.allowed(np.float32), np.float32
    if error <= IMPRECISE:
        return seen("imprecise")
    explanation = _explained(run, y, allowed)
    if explanation is not None:
        return seen(*explanation.beliefs, explanation=explanation)
    for position, (belief, expected) in enumerate(fingerprints(probe)):
        near = distance(y, expected, size) <= allowed
        if near and run.survives(lambda other, position=position: fingerprints(other)[position][1]):  # type: ignore[misc]
            return seen(belief)
    try:
        if _is_constant(run, y):
            return seen("constant-answer")
        broken = laws() if not run.inference else []
    except call.Slip as slip:
        return Seen(kind, probe, (slip.finding,))
    return seen(*sorted((belief for belief, _ in broken), key=lambda one: order_of((one,)))[:1])


def _explained(run: _Run, y: Array, allowed: float) -> transforms.Explanation | None:
    """Return the simplest program of the family that gives this y, and the student's on other probes too."""
    for explanation in transforms.matches(y, run.probe, run.kind, allowed):
        named = explanation._replace(beliefs=_by_constant_set(explanation, run))

        def predict(other: Probe, switches: transforms.Switches = explanation.switches) -> Array:
            return transforms.transform(other, switches, inference=run.inference).y

        if run.eps is not None or run.survives(predict):
            return named
    if run.inference and _is_subtracted(run):
        return transforms.Explanation(SUBTRACTED, ("inference-eps-subtracted",))
    return _by_constant(run)


SUBTRACTED = transforms.Switches(root="subtracted")


def _is_subtracted(run: _Run) -> bool:
    """Whether inference subtracts eps, tried with variances that leave something under the root."""
    try:
        for probe in (run.probe, *run.fresh()):
            wide = replace(probe, running_var=probe.running_var + 2 * probe.eps)
            found, expected = run.call(wide), transforms.transform(wide, SUBTRACTED, inference=True).y
            if distance(found.array, expected, transforms.size_of(wide)) > wide.allowed(found.dtype):
                return False
    except call.Slip:
        return False
    return True


def _by_constant(run: _Run) -> transforms.Explanation | None:
    """Measure a constant that stands in the place of eps, whatever it is: on values that hardly vary it shows."""
    if run.inference or run.eps is not None or run.probe.layout.kind != "batch":
        return None
    probe = _shrunk(run.probe, 1e-3)
    try:
        found = run.call(probe).array
    except call.Slip:
        return None
    centered = probe.x - transforms.mean_over("sets", probe.x, probe)
    gamma, beta = (probe.layout.across(one, probe.x.ndim) for one in (probe.gamma, probe.beta))
    slope = probe.rows((found - beta) / gamma * centered).sum(axis=0) / probe.rows(centered**2).sum(axis=0)
    constants = 1 / slope**2 - probe.rows(centered**2).mean(axis=0)
    constant = float(np.median(constants))
    if not (np.isfinite(constants).all() and constant > 0 and np.ptp(constants) <= 1e-6 * constant):
        return None
    switches = transforms.Switches(root=f"constant {constant!r}")
    if not run.survives(lambda other: transforms.transform(other, switches).y):
        return None
    return transforms.Explanation(switches, ("eps-hard-coded",))


def _shrunk(probe: Probe, factor: float) -> Probe:
    """The same probe with values that hardly vary."""
    mean = transforms.mean_over("sets", probe.x, probe)
    return replace(probe, x=mean + (probe.x - mean) * factor)


def _by_constant_set(explanation: transforms.Explanation, run: _Run) -> tuple[str, ...]:
    """Tell a tiny constant in the place of eps from none at all: without one, values that do not vary are 0 / 0."""
    prefix = "inference-" if any(belief.startswith("inference-") for belief in explanation.beliefs) else ""
    ignored, constant = f"{prefix}eps-ignored", f"{prefix}eps-hard-coded"
    if not {ignored, constant} & set(explanation.beliefs):
        return explanation.beliefs
    try:
        run.call(flat(run.probe, explanation.switches))
        found = constant
    except call.Slip:
        found = ignored
    return tuple(found if belief in (ignored, constant) else belief for belief in explanation.beliefs)


def flat(probe: Probe, switches: transforms.Switches = transforms.RIGHT) -> Probe:
    """The same probe with values that do not vary in one set of a program, nor in the running statistics."""
    x, mean, var = probe.x.copy(), probe.running_mean.copy(), probe.running_var.copy()
    per_channel = switches.axes == "sets" and probe.layout.kind == "batch"
    if (per_channel and not switches.variance.startswith("shared")) or switches.axes == "samples":
        x[:, 0], mean[0], var[0] = 2.0, 2.0, 0.0
    elif switches.axes in ("sample", "places", "channels") or probe.layout.kind != "batch":
        x[0], mean[0], var[0] = 2.0, 2.0, 0.0
    else:
        x[:], mean[0], var[0] = 2.0, 2.0, 0.0
    return replace(probe, x=x, running_mean=mean, running_var=var)


def _in_part(belief: str, part: str, kind: str) -> Finding:
    """Name where it shows only if the belief could show elsewhere."""
    return finding(belief, None if part == "conv" else part, kind=kind, maps=part == "conv")


def _is_constant(run: _Run, y: Array) -> bool:
    """Whether another batch of the same shape gets the same answer."""
    other = replace(run.probe, x=np.ascontiguousarray(run.probe.x[::-1] ** 3 * 1.3 + 0.7))
    return bool(np.array_equal(run.call(other).array, y))


def _is_single(run: _Run, y: Array) -> bool:
    """Whether it works in single precision, whatever the type of what it returns."""
    rounded = replace(run.probe, x=run.probe.x.astype(np.float32).astype(np.float64))
    try:
        return bool(np.array_equal(run.call(rounded).array, y))
    except call.Slip:
        return False


def _layouts_and_brackets(probe: Probe) -> list[tuple[str, Array]]:
    """What a forward pass in training may be that no program of the family is."""
    axes = (0, *range(2, probe.x.ndim))
    moments = probe.x.mean(axis=axes), probe.x.var(axis=axes)
    brackets = precedences(probe, "precedence", moments) if probe.layout.kind == "batch" else []
    return reshapes(probe) + brackets


def reshapes(probe: Probe) -> list[tuple[str, Array]]:
    """Feature maps flattened or restored in the wrong order of axes."""
    x, gamma, beta = probe.x, probe.gamma, probe.beta
    if x.ndim == 2 or probe.layout.kind != "batch":
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


def precedences(
    probe: Probe, belief: str = "inference-precedence", moments: tuple[Array, Array] | None = None
) -> list[tuple[str, Array]]:
    """Brackets lost in gamma * (x - mean) / sqrt(var + eps) + beta; the running statistics are the default."""
    vectors = probe.gamma, probe.beta, *(moments or (probe.running_mean, probe.running_var))
    x, (gamma, beta, mean, var) = probe.x, (probe.layout.across(one, probe.x.ndim) for one in vectors)
    std, root = np.sqrt(var + probe.eps), np.sqrt(var)
    candidates = [
        x - mean / std * gamma + beta,
        gamma * x - mean / std + beta,
        gamma * (x - mean / std) + beta,
        (x - mean) / root + probe.eps * gamma + beta,
        gamma * (x - mean) / root + probe.eps + beta,
        (gamma * x - mean) / std + beta,
        gamma * x / std - mean + beta,
        x / std * gamma - mean / std + beta,
    ]
    return [(belief, candidate) for candidate in candidates]
