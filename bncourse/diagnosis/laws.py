"""Laws that need no reference: what every right pair of functions obeys, and what says nothing of the values.

They are what a student can test alone: shift the batch, shuffle it, change one feature, double dy, take a small step.
"""

from typing import Any

import numpy as np

from bncourse.diagnosis import call
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.numerical_gradient import own_gradient
from bncourse.diagnosis.probes import Probe

Array = np.ndarray[Any, Any]


def _forward(forward: Function, probe: Probe, x: Array, eps: float | None = None) -> tuple[call.Value, Any]:
    result = call.call(forward, "forward", x, probe.gamma, probe.beta, eps=probe.eps if eps is None else eps)
    y, cache = call.pair(result, "forward")
    return call.like(y, probe.x, "forward", []), cache


@np.errstate(all="ignore")
def broken_forward_laws(forward: Function, probe: Probe) -> list[tuple[str, str]]:
    """Beliefs that break a law of the forward pass, and the part in which they show, in the order in which they teach.

    Raises
    ------
    Slip
        If the function cannot be read.
    """
    x, layout = probe.x, probe.layout
    rows = layout.rows
    y, _ = _forward(forward, probe, x)
    size = float(np.abs(probe.gamma).max() * 2 + np.abs(probe.beta).max())
    bound = 10 * probe.allowed(y.dtype) * size

    def differ(one: Array, other: Array) -> bool:
        return bool(np.abs(one - other).max() > bound)

    broken = []
    order = np.roll(np.arange(len(x)), 1)
    if differ(_forward(forward, probe, x[order])[0].array, y.array[order]):
        broken.append("law-permutation")
    matrix = np.array(rows(x))
    matrix[:, 0] = matrix[:, 0] * 9 + np.arange(len(matrix)) * 0.3
    moved = _forward(forward, probe, layout.back(matrix, x.shape))[0].array
    if differ(rows(moved)[:, 1:], rows(y.array)[:, 1:]):
        broken.append("law-features-apart")
    if layout.kind == "batch" and differ(rows(y.array).mean(axis=0), probe.beta):
        broken.append("law-batch-mean")
    shifted = layout.back(rows(x) + rows(x).std(axis=0) * 2, x.shape)
    if layout.centered and differ(_forward(forward, probe, shifted)[0].array, y.array):
        broken.append("law-shift")
    return [(belief, "forward") for belief in broken]


@np.errstate(all="ignore")
def broken_backward_laws(forward: Function, backward: Function, probe: Probe) -> list[tuple[str, str]]:
    """Beliefs that break a law of the backward pass, and the part in which they show, in the order in which they teach.

    Raises
    ------
    Slip
        If a function cannot be read.
    """

    def backward_of(dy: Array, eps: float | None = None) -> tuple[dict[str, Array], Any]:
        y, cache = _forward(forward, probe, probe.x, eps)
        result = call.gradients(call.call(backward, "dx", dy, cache, dy=True), "dx", [])
        dx = call.like(result["dx"], probe.x, "dx", [])
        others = [call.per_channel(result[name], probe.x, name, []) for name in ("dgamma", "dbeta")]
        dtype = np.float32 if np.float32 in (y.dtype, dx.dtype, *(other.dtype for other in others)) else np.float64
        return {"dx": dx.array, "dgamma": others[0].array, "dbeta": others[1].array}, dtype

    found, dtype = backward_of(probe.dy)
    allowed = 10 * probe.allowed(dtype)
    dx, rows = probe.rows(found["dx"]), probe.rows
    broken = []
    inside = np.abs(probe.gain * rows(probe.dy))
    weight = inside.sum(axis=0) / np.sqrt(rows(probe.x).var(axis=0) + probe.eps)
    size = np.abs(dx).sum(axis=0) + weight
    if probe.layout.centered and (np.abs(dx.sum(axis=0)) > allowed * size).any():
        broken.append(("law-dx-sums-to-zero", "dx"))
    tiny = rows(backward_of(probe.dy, 1e-13)[0]["dx"])
    x_hat = rows(probe.layout.normalize(probe.x, 0.0)[0])
    size = np.abs(tiny * x_hat).sum(axis=0) + weight
    if (np.abs((tiny * x_hat).sum(axis=0)) > allowed * size).any():
        broken.append(("law-dx-orthogonal", "dx"))
    other = np.roll(probe.dy, 1, axis=0) * 0.7
    one, two, both = found, backward_of(other)[0], backward_of(1.5 * probe.dy + other)[0]
    for name, value in both.items():
        expected = 1.5 * one[name] + two[name]
        if np.abs(value - expected).max() > allowed * (np.abs(expected).max() + np.abs(value).max()):
            broken.append(("law-linear", name))
    own = own_gradient(forward, probe, dtype)
    if own is not None:
        if not own.agrees(found["dx"], probe):
            broken.append(("law-derivative", "dx"))
        for name, rate in (("dgamma", own.dgamma), ("dbeta", own.dbeta)):
            if np.abs(found[name] - rate).max() > 10 * allowed * (np.abs(probe.dy).sum(axis=0) * 3).max():
                broken.append(("law-derivative", name))
    return broken
