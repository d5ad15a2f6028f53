"""The stages of a learner's staged backward pass beside the right ones, one after another."""

from functools import lru_cache
from typing import Any

import numpy as np

from bncourse.diagnosis import call
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.probes import Probe
from bncourse.diagnosis.report import finding
from bncourse.numpy_bn import functional as reference


@lru_cache(maxsize=64)
def _right_stages(probe: Probe) -> Any:
    _, cache = reference.batch_norm_forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    return reference.batch_norm_backward_staged(probe.dy, cache)[1]


@np.errstate(all="ignore")
def compare_stages(forward: Function, staged: Function, probe: Probe) -> Any:
    """Leave with a finding about the first stage that is wrong; where none is, return the gradients that came along."""
    result = call.call(forward, "forward", probe.x, probe.gamma, probe.beta, eps=probe.eps)
    _, cache = call.pair(result, "forward")
    gradients, given = call.pair(call.call(staged, "stages", probe.dy, cache, dy=True), "stages")
    named = call.stages(given)
    stages = _right_stages(probe)
    for name, right in stages._asdict().items():
        value = named[name]
        if name == "dmean_through_var" and isinstance(value, int | float | np.number) and value == 0:
            value = np.zeros_like(right)  # that this share is zero is what the task is about
        if right.shape == probe.x.shape and not (name == "dx_through_mean" and np.size(value) == right.shape[1]):
            read, expected = call.like(value, probe.x, name, []), right
        else:
            read = call.per_channel(value, probe.x, name, [], gradient=False)
            expected = right[0] if right.shape == probe.x.shape else right
        # the second share of dmean is zero up to rounding, so it is measured by the whole
        size = np.abs(stages.dmean if name == "dmean_through_var" else expected).max(axis=0) + 1e-300
        if (np.abs(read.array - expected) > 10 * probe.allowed(read.dtype) * size).any():
            raise call.Slip(finding("stage-wrong", name))
    return gradients
