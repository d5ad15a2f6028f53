"""What the learner believed about the gradients, part by part."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from bncourse.diagnosis import call, fingerprints, parameters, paths, transforms
from bncourse.diagnosis.call import GRADIENTS, Function
from bncourse.diagnosis.expected import gain_of, truth_of
from bncourse.diagnosis.forwards import IMPRECISE, Seen
from bncourse.diagnosis.laws import broken_backward_laws
from bncourse.diagnosis.numerical_gradient import Own, own_gradient
from bncourse.diagnosis.probes import Probe
from bncourse.diagnosis.report import Finding, finding, unknown

Array = np.ndarray[Any, Any]


@dataclass
class Graded:
    """What was found, part by part."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    follow_through: list[str] = field(default_factory=list)
    """Parts that are right for the student's own, wrong forward pass."""

    def add(self, part: str, *beliefs: str) -> None:
        """Charge a part with beliefs, or with an unknown mistake."""
        self.findings[part] = [finding(belief, part) for belief in beliefs] or [unknown(part)]


class _Case:
    """One backward pass under the eye: the student's results beside the reference and the student's own forward."""

    def __init__(self, forward: Function, backward: Function, seen: Seen) -> None:
        self.forward, self.backward, self.seen, self.probe = forward, backward, seen, seen.probe
        self.inference = seen.kind == "inference"
        truth = truth_of(self.probe, inference=self.inference)
        self.reference, self.right, self.sizes = truth.reference, truth.right, truth.sizes
        switches = seen.explanation.switches if seen.explanation else transforms.Switches()
        self.model = self.right
        if switches != transforms.Switches():
            self.model = transforms.transform(self.probe, switches, inference=self.inference)
        self.same_axes = switches.axes == "batch"
        self._own: Own | None = None
        self._measured = False

    def run(self, dy: Array) -> Any:
        """Call the backward pass with a cache that no other call has had."""
        return call.call(self.backward, "dx", dy, self._cache(), dy=True)

    def _cache(self) -> Any:
        """One that is left from looking at the forward pass, or of a new call."""
        if self.seen.caches:
            return self.seen.caches.pop(0)
        probe, part = self.probe, self.seen.kind
        statistics = (probe.running_mean, probe.running_var) if self.inference else ()
        result = call.call(self.forward, part, probe.x, probe.gamma, probe.beta, *statistics, eps=probe.eps)
        return call.pair(result, part)[1]

    def allowed(self, dtype: Any) -> float:
        """Tolerance for a gradient of this dtype; none is finer than the forward pass that it started from."""
        return self.probe.allowed(np.float32 if self.seen.dtype == np.float32 else dtype)

    @property
    def own(self) -> Own | None:
        """Gradient of the student's own forward pass, measured when it is first asked for."""
        if not self._measured:
            self._measured = True
            if not self.inference:
                self._own = own_gradient(self.forward, self.probe, self.seen.dtype)
        return self._own


@np.errstate(all="ignore")
def look_at_backward(
    forward: Function,
    backward: Function,
    seen: Seen,
    notes: list[str],
    parts: tuple[str, ...] = GRADIENTS,
    *,
    first: Any = None,
) -> Graded:
    """Run a backward pass and say what it believes, part by part.

    Parameters
    ----------
    forward, backward : callables
        The student's.
    seen : Seen
        What was found about the forward pass.
    notes : list of str
        Harmless oddities are appended to it.
    parts : tuple of str
        Which of dx, dgamma and dbeta to look at.
    first : object
        What the backward pass returned for the probe's dy, where it has been called already.
    """
    case, graded = _Case(forward, backward, seen), Graded()
    try:
        first = call.gradients(case.run(case.probe.dy) if first is None else first, "dx", notes)
        second = call.gradients(case.run(case.probe.dy), "dx", []) if seen.repeat else first
    except call.Slip as slip:
        graded.findings[slip.finding.part if slip.finding.part not in GRADIENTS else parts[0]] = [slip.finding]
        return graded
    values: dict[str, call.Value] = {}
    for part in parts:
        try:
            values[part] = _read(first[part], case, part, notes)
            again = _read(second[part], case, part, [])
        except call.Slip as slip:
            graded.findings[part] = [slip.finding]
            continue
        if _error(values[part].array, again.array, case, part) > case.allowed(again.dtype):
            graded.add(part, "not-repeatable")
    for part, value in values.items():
        if part in graded.findings:
            continue
        error = _error(value.array, getattr(case.reference, part), case, part)
        if error <= case.allowed(value.dtype):
            continue
        if part != "dx" and _swapped(values, case):
            graded.add(part, "parameter-gradients-swapped")
        elif error <= IMPRECISE:
            graded.add(part, "imprecise")
        elif not case.seen.right and _fits_own(value, case, part):
            graded.follow_through.append(part)
        elif _is_constant(value, case, part):
            graded.add(part, "constant-answer")
        else:
            explain = _explain_dx if part == "dx" else _explain_parameter
            graded.add(part, *explain(value, case, part))
    return graded


def _read(value: Any, case: _Case, part: str, notes: list[str]) -> call.Value:
    if part == "dx":
        return call.like(value, case.probe.x, part, notes)
    return call.per_channel(value, case.probe.x, part, notes)


def _error(found: Array, expected: Array, case: _Case, part: str) -> float:
    """Largest difference, channel by channel, relative to the terms that are added."""
    size = case.sizes[part]
    if part == "dx":
        return float((np.abs(paths.rows(found - expected)).max(axis=0) / size).max())
    return float((np.abs(found - expected) / size).max()) if case.probe.gamma.size else 0.0


def _swapped(values: dict[str, call.Value], case: _Case) -> bool:
    if not {"dgamma", "dbeta"} <= values.keys():
        return False
    found = values["dgamma"].array, values["dbeta"].array
    allowed = 10 * case.allowed(values["dgamma"].dtype)
    dy = paths.rows(case.probe.dy)
    for model in (case.right, case.model):
        crossed = dy.sum(axis=0), (dy * paths.rows(model.x_hat)).sum(axis=0)
        if all(_error(one, other, case, "dgamma") <= allowed for one, other in zip(found, crossed, strict=True)):
            return True
    return False


def _fits_own(value: call.Value, case: _Case, part: str) -> bool:
    """Whether the part is the gradient of the student's own forward pass."""
    if case.inference:
        if case.seen.explanation is None or case.seen.explanation.switches.center == "batch":
            return False
        g = case.model.gain * case.model.inv_std
        dy, axes = case.probe.dy, (0,)
        own_values = {"dx": g * dy, "dgamma": (dy * case.model.x_hat).sum(axis=axes), "dbeta": dy.sum(axis=axes)}
        return _error(value.array, own_values[part], case, part) <= 1e2 * case.allowed(value.dtype)
    if case.own is None:
        return False
    if part == "dx":
        return case.own.agrees(value.array, case.probe)
    return _error(value.array, getattr(case.own, part), case, part) <= 1e2 * case.allowed(value.dtype)


def _explain_dx(value: call.Value, case: _Case, part: str) -> tuple[str, ...]:
    """Name the beliefs behind a wrong dx: paths first, then fingerprints, then laws."""
    probe, dx = case.probe, paths.rows(value.array)
    x, dy = paths.rows(probe.x), paths.rows(probe.dy)
    allowed = case.allowed(value.dtype)
    known: list[paths.Move] = []
    if case.same_axes:
        models = [case.model] if case.seen.right else [case.model, case.right]
        for model in models:
            own = model is case.model and not case.seen.right
            x_hats = [paths.rows(model.x_hat)]
            if case.inference:
                x_hats.append((x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + probe.eps))
            known = _known_moves(probe, case.inference) if model is case.right else _moves(probe, model, case.inference)
            for x_hat in x_hats:
                basis = paths.make_basis(dy, x_hat, gain_of(model))
                coefficients, residual = paths.fit(dx, basis)
                if residual > 100 * allowed:
                    continue
                bound = 1e-4 if own else max(1e-6, 100 * allowed)
                named = paths.explain(coefficients, _truths(case, basis, own=own), known, bound, basis)
                if named:
                    return named
    for model in (case.model, case.right):
        inv_std, gain = (np.broadcast_to(a, probe.x.shape) for a in (model.inv_std, model.gain))
        arrays = dy, x, paths.rows(model.y), *(paths.rows(a) for a in (model.x_hat, inv_std, gain))
        layer_norm = case.seen.explanation is not None and case.seen.explanation.switches.axes == "sample"
        found = fingerprints.explain(dx, fingerprints.candidates(*arrays), known, 100 * allowed, layer_norm=layer_norm)
        if found:
            return found
    if _is_textbook(dx, case, 100 * allowed):
        return ("closed-form-of-another-forward",)
    return _last_resort(value, case, part)


def _moves(probe: Probe, model: transforms.Normalized, inference: bool) -> list[paths.Move]:
    """What beliefs do to the coefficients, for a forward pass that is this program."""
    var = probe.running_var if inference else paths.rows(probe.x).var(axis=0)
    return paths.moves(probe, model.inv_std.reshape(-1), var)


@lru_cache(maxsize=64)
def _known_moves(probe: Probe, inference: bool) -> list[paths.Move]:
    """The same for the right program, worked out once for each probe."""
    return _moves(probe, truth_of(probe, inference=inference).right, inference)


def _is_textbook(dx: Array, case: _Case, allowed: float) -> bool:
    """Whether dx is the closed form of batch norm with the normalized values of some other forward pass."""
    if case.seen.right or case.seen.y is None or case.inference:
        return False
    dy, model = paths.rows(case.probe.dy), case.model
    with np.errstate(all="ignore"):
        y_based = paths.rows(case.seen.y - _across(case.probe.beta, case)) / case.probe.gamma
    inv_std = paths.rows(np.broadcast_to(model.inv_std, case.probe.x.shape))
    for x_hat, front in ((paths.rows(model.x_hat), inv_std), (y_based, np.ones_like(dy))):
        bracket = dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)
        expected = case.probe.gamma * front * bracket
        factor = (dx * expected).sum(axis=0) / (expected * expected).sum(axis=0)
        near = np.abs(dx - factor * expected).max(axis=0) <= allowed * np.abs(factor * expected).max(axis=0)
        if near.all() and (factor > 0).all():
            return True
    return False


def _across(vector: Array, case: _Case) -> Array:
    return vector.reshape(1, -1, *[1] * (case.probe.x.ndim - 2))


def _truths(case: _Case, basis: paths.Basis, *, own: bool) -> list[tuple[tuple[str, ...], Array]]:
    """Coefficients that a right backward pass may have here, and beliefs which shift them."""
    if case.inference:
        return [((), np.array([1.0, 0, 0])), (("training-backward-in-inference",), np.array(paths.RIGHT))]
    truths: list[tuple[tuple[str, ...], Array]] = []
    if own and case.own is not None:
        truths.append(((), case.own.weights(basis)))
        truths.append((("closed-form-of-another-forward",), np.array(paths.RIGHT)))
    else:
        truths.append(((), np.array(paths.RIGHT)))
    return truths


def _explain_parameter(value: call.Value, case: _Case, part: str) -> tuple[str, ...]:
    """Name the beliefs behind a wrong dgamma or dbeta."""
    probe = case.probe
    for model in (case.model, case.right):
        std = np.broadcast_to(1 / model.inv_std, probe.x.shape)
        found = parameters.explain(
            part,
            value.array,
            probe,
            model.y,
            paths.rows(model.x_hat),
            paths.rows(std),
            10 * case.allowed(value.dtype),
        )
        if found:
            return found
    return _last_resort(value, case, part)


def _is_constant(value: call.Value, case: _Case, part: str) -> bool:
    """Whether another upstream gradient gets the same answer."""
    try:
        other = call.gradients(case.run(np.roll(case.probe.dy, 1, axis=0) * 1.7 + 0.3), part, [])
        return np.array_equal(_read(other[part], case, part, []).array, value.array)
    except call.Slip:
        return False


def _last_resort(value: call.Value, case: _Case, part: str) -> tuple[str, ...]:
    """The first law that is broken in this part."""
    if case.inference:
        return ()
    if case.seen.kind == "conv" or not case.seen.right:
        return ("law-derivative",)
    try:
        broken = broken_backward_laws(case.forward, case.backward, case.probe)
    except call.Slip:
        return ()
    return tuple(belief for belief, where in broken if where == part)[:1]
