"""Which program of the family explains a forward pass, and which constant stands in it in the place of eps."""

from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis import call, transforms
from bncourse.diagnosis.bounds import distance
from bncourse.diagnosis.forward_runs import Run
from bncourse.diagnosis.probes import Probe
from bncourse.diagnosis.transform_families import RIGHT, Switches
from bncourse.diagnosis.transform_search import Explanation, matches

Array = np.ndarray[Any, Any]


def explained(run: Run, y: Array, allowed: float) -> Explanation | None:
    """Return the simplest program of the family that gives this y, and the student's on other probes too."""
    for explanation in matches(y, run.probe, run.kind, allowed):
        named = explanation._replace(beliefs=_by_constant_set(explanation, run))

        def predict(other: Probe, switches: Switches = explanation.switches) -> Array:
            return transforms.transform(other, switches, inference=run.inference).y

        if run.eps is not None or run.survives(predict):
            return named
    if run.inference and is_subtracted(run):
        return Explanation(SUBTRACTED, ("inference-eps-subtracted",))
    return _by_constant(run)


SUBTRACTED = Switches(root="subtracted")


def is_subtracted(run: Run) -> bool:
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


def _by_constant(run: Run) -> Explanation | None:
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
    switches = Switches(root=f"constant {constant!r}")
    if not run.survives(lambda other: transforms.transform(other, switches).y):
        return None
    return Explanation(switches, ("eps-hard-coded",))


def _shrunk(probe: Probe, factor: float) -> Probe:
    """The same probe with values that hardly vary."""
    mean = transforms.mean_over("sets", probe.x, probe)
    return replace(probe, x=mean + (probe.x - mean) * factor)


def _by_constant_set(explanation: Explanation, run: Run) -> tuple[str, ...]:
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


def flat(probe: Probe, switches: Switches = RIGHT) -> Probe:
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
