"""The gradient of the student's own forward pass, right or wrong, by differences along a few directions.

Many a backward pass is the exact gradient of a wrong forward pass; its author made one mistake, not two. Four
directions are enough to tell, because a wrong gradient agrees along a random direction with probability zero, and they
are enough to say with which weights the three paths reach the loss in that forward pass.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis import call
from bncourse.diagnosis.paths import Basis
from bncourse.diagnosis.probes import Probe

Array = np.ndarray[Any, Any]

STEP = {np.float64: 2e-3, np.float32: 5e-2}
ALLOWED = {np.float64: 1e-6, np.float32: 2e-2}
"""Relative error of a fourth-order difference quotient at these steps, with room to spare."""


class Own(NamedTuple):
    """What the student's forward pass says about its own gradient."""

    directions: Array
    """Shape (4, *x.shape), in units of each feature's standard deviation."""
    rates: Array
    """Change of the loss along each direction, set by set of y: shape (4, sets)."""
    dgamma: Array
    dbeta: Array
    allowed: float

    def agrees(self, dx: Array, probe: Probe) -> bool:
        """Whether dx predicts the changes of the loss."""
        axes = tuple(range(1, self.directions.ndim))
        predicted = (self.directions * dx).sum(axis=axes)
        size = np.abs(self.directions * dx).sum(axis=axes) + np.abs(self.rates).sum(axis=1)
        size += 1e-3 * float(np.abs(probe.dy * probe.gamma.reshape(1, -1, *[1] * (dx.ndim - 2))).sum())
        return bool((np.abs(predicted - self.rates.sum(axis=1)) <= self.allowed * size).all())

    def weights(self, basis: Basis, probe: Probe) -> Array:
        """Coefficients (3, sets) with which the three paths reach the loss in this forward pass."""
        sets = self.rates.shape[1]
        found = np.empty((3, sets))
        flat = np.stack([probe.rows(direction) for direction in self.directions])
        for feature in range(sets):
            columns = flat[:, :, feature] @ basis.terms[:, :, feature].T
            found[:, feature] = np.linalg.lstsq(columns, self.rates[:, feature], rcond=None)[0]
        return found


def own_gradient(forward: Callable[..., Any], probe: Probe, dtype: Any) -> Own | None:
    """Measure the gradient of a forward pass; None where it cannot be measured.

    Parameters
    ----------
    forward : callable
        The student's.
    probe : Probe
        At which point, and for which upstream gradient.
    dtype : {np.float64, np.float32}
        Of the student's results, which sets the step.
    """
    x, dy = probe.x, probe.dy
    layout = probe.layout
    rng = np.random.default_rng([probe.key[0], 7])
    matrix = layout.rows(x)
    std = matrix.std(axis=0)
    upstream = layout.rows(dy)
    steps = std * np.stack([np.ones_like(matrix), (matrix - matrix.mean(axis=0)) / std, upstream, upstream])
    steps += 0.3 * std * rng.standard_normal(steps.shape)
    directions = np.stack([layout.back(one, x.shape) for one in steps])

    def y_at(x: Array, gamma: Array, beta: Array) -> Array:
        result = call.call(forward, "forward", x, gamma, beta, eps=probe.eps)
        return call.like(call.pair(result, "forward")[0], probe.x, "forward", []).array

    def each(position: int) -> Array:
        """Change of the loss with one entry of gamma, or of beta, raised by 1: y is affine in both."""
        found = np.empty(len(probe.gamma))
        for channel in range(len(found)):
            vectors = [probe.gamma.copy(), probe.beta.copy()]
            vectors[position][channel] += 1
            found[channel] = (dy * (y_at(x, *vectors) - here)).sum()
        return found

    step = STEP[dtype]
    rates = []
    try:
        for v in directions:
            near = y_at(x + step * v, probe.gamma, probe.beta) - y_at(x - step * v, probe.gamma, probe.beta)
            far = y_at(x + 2 * step * v, probe.gamma, probe.beta) - y_at(x - 2 * step * v, probe.gamma, probe.beta)
            rates.append(layout.rows(dy * (8 * near - far)).sum(axis=0) / (12 * step))
        here = y_at(x, probe.gamma, probe.beta)
        dgamma, dbeta = each(0), each(1)
    except call.Slip:
        return None
    return Own(directions, np.stack(rates), dgamma, dbeta, ALLOWED[dtype])
