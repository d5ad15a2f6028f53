"""What the learner believed about the gradients, part by part."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bncourse.diagnosis import cache_order, call, causes, dependence, parameters
from bncourse.diagnosis.call import GRADIENTS, Function
from bncourse.diagnosis.catalogue import order_of
from bncourse.diagnosis.forwards import IMPRECISE, Seen
from bncourse.diagnosis.laws import broken_backward_laws
from bncourse.diagnosis.report import Finding, finding, unknown
from bncourse.diagnosis.trials import Trial

Array = np.ndarray[Any, Any]

ABOUT_EPS = {"eps-outside-root", "eps-ignored", "eps-hard-coded", "eps-subtracted"}


@dataclass
class Graded:
    """What was found, part by part."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    follow_through: list[str] = field(default_factory=list)
    """Parts that are right for the student's own, wrong forward pass."""
    maps: bool = False
    """Whether the functions are for feature maps."""

    def add(self, part: str, kind: str, *beliefs: str) -> None:
        """Charge a part with beliefs, or with an unknown mistake."""
        found = [finding(belief, part, kind=kind, maps=self.maps) for belief in beliefs]
        self.findings[part] = found or [unknown(part)]


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
    switches = seen.explanation.switches if seen.explanation else None
    trial = Trial(forward, backward, seen.probe, seen.kind == "inference", switches, seen.caches, seen.dtype)
    graded = Graded(maps=seen.kind == "conv")
    kind = seen.probe.layout.kind
    try:
        if seen.no_cache and first is None:
            first = _without_cache(trial)
        first = call.gradients(trial.run(trial.probe.dy) if first is None else first, "dx", notes)
        second = call.gradients(trial.run(trial.probe.dy), "dx", []) if seen.repeat else first
    except call.Slip as slip:
        part = slip.finding.part
        graded.findings[part if part not in GRADIENTS else parts[0]] = [slip.finding]
        return graded
    for part in parts:
        reader = call.like if part == "dx" else call.per_channel
        try:
            value = reader(first[part], trial.probe.x, part, notes)
            again = value if second is first else trial.read(second[part], part)
        except call.Slip as slip:
            graded.findings[part] = [slip.finding]
            continue
        trial.values[part] = value
        if again is not value and trial.error(value.array, again.array, part) > trial.allowed(again.dtype):
            graded.add(part, kind, "not-repeatable")
    odd = [part for part, found in graded.findings.items() if found[0].belief in OF_A_WRONG_ENTRY]
    if odd and cache_order.exchange(trial, parts):
        graded.findings.clear()
        graded.add(odd[0], kind, "cache-order")
        return graded
    wrong = [part for part in parts if part in trial.values and part not in graded.findings and _is_wrong(trial, part)]
    charged = []
    for part in wrong:
        if part != "dx" and _swapped(trial):
            graded.add(part, kind, "parameter-gradients-swapped")
        elif trial.error(trial.values[part].array, trial.expected.gradients[part], part) <= IMPRECISE:
            graded.add(part, kind, "imprecise")
        elif not seen.right and _fits_own(trial, part, seen):
            graded.follow_through.append(part)
        elif _is_constant(trial, part):
            graded.add(part, kind, "constant-answer")
        else:
            charged.append(part)
    if not charged:
        return graded
    found = {part: _explain(trial, part, seen) for part in charged}
    simple = [part for part in charged if found[part] and len(found[part]) == 1]
    if (len(charged) > 1 or not simple) and cache_order.exchange(trial, tuple(charged)):
        graded.add(charged[0], kind, "cache-order")
        return graded
    for part in charged:
        graded.add(part, kind, *(found[part] or _last_resort(trial, part, seen)))
    return graded


OF_A_WRONG_ENTRY = ("not-finite", "wrong-shape", "transposed")
"""What a gradient may look like that has been computed from another entry of the cache."""


def _without_cache(trial: Trial) -> Any:
    """Call a backward pass for which the forward pass has left nothing."""
    try:
        return trial.run(trial.probe.dy)
    except call.Slip as slip:
        if slip.finding.belief in ("raised", "cache-order"):
            raise call.Slip(finding("cache-missing", "forward")) from slip
        raise


def _is_wrong(trial: Trial, part: str) -> bool:
    value = trial.values[part]
    return trial.error(value.array, trial.expected.gradients[part], part) > trial.allowed(value.dtype)


def _swapped(trial: Trial) -> bool:
    if not {"dgamma", "dbeta"} <= trial.values.keys():
        return False
    found = trial.values["dgamma"].array, trial.values["dbeta"].array
    allowed = 10 * trial.allowed(trial.values["dgamma"].dtype)
    dy, axes = trial.probe.dy, (0, *range(2, trial.probe.dy.ndim))
    for model in (trial.expected.right, trial.own_model):
        crossed = dy.sum(axis=axes), (dy * model.x_hat).sum(axis=axes)
        if all(trial.error(one, other, "dgamma") <= allowed for one, other in zip(found, crossed, strict=True)):
            return True
    return False


def _fits_own(trial: Trial, part: str, seen: Seen) -> bool:
    """Whether the part is the gradient of the student's own forward pass, or would be right beside a right one."""
    value = trial.values[part]
    allowed = 1e2 * trial.allowed(value.dtype)
    if trial.inference:
        if seen.explanation is None or seen.explanation.switches.center == "batch":
            return False
        model, dy = trial.own_model, trial.probe.dy
        slope = np.broadcast_to(model.gain * model.inv_std, dy.shape)
        own_values = {"dx": slope * dy, "dgamma": (dy * model.x_hat).sum(axis=0), "dbeta": dy.sum(axis=0)}
        return trial.error(value.array, own_values[part], part) <= allowed
    if trial.own is not None:
        fits = (
            trial.own.agrees(value.array, trial.probe)
            if part == "dx"
            else trial.error(value.array, getattr(trial.own, part), part) <= allowed
        )
        if fits:
            return True
    beliefs = set(seen.explanation.beliefs) if seen.explanation else set()
    return bool(beliefs) and beliefs <= ABOUT_EPS and part == "dx" and causes.mixes(trial)


def _explain(trial: Trial, part: str, seen: Seen) -> tuple[str, ...]:
    """Name the beliefs behind a wrong part, if they survive their own test."""
    if part == "dx":
        return causes.explain_dx(trial, right=seen.right)
    return parameters.explain(part, trial)


def _is_constant(trial: Trial, part: str) -> bool:
    """Whether another upstream gradient gets the same answer."""
    try:
        other = trial.part(part, np.roll(trial.probe.dy, 1, axis=0) * 1.7 + 0.3)
        return np.array_equal(other.array, trial.values[part].array)
    except call.Slip:
        return False


def _last_resort(trial: Trial, part: str, seen: Seen) -> tuple[str, ...]:
    """The first law that is broken in this part."""
    if trial.inference:
        return ()
    if part == "dx":
        depends = dependence.dependence(trial)
        if depends:
            return depends
    if not seen.right:
        return ("law-derivative",)
    try:
        broken = broken_backward_laws(trial.forward, trial.backward, trial.probe)
    except call.Slip:
        return ()
    return tuple(sorted((belief for belief, where in broken if where == part), key=lambda one: order_of((one,))))[:1]
