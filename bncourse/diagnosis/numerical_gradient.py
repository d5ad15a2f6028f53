"""The gradient of the student's own forward pass, right or wrong, by differences along a few directions.

Many a backward pass is the exact gradient of a wrong forward pass; its author made one mistake, not two. Four
directions are enough to tell, because a wrong gradient agrees along a random direction with probability zero, and they
are enough to say with which weights the three paths reach the loss in that forward pass.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis import call
from bncourse.diagnosis.paths import Basis, rows
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
    """Change of the loss along each direction, feature of y by feature of y: shape (4, C)."""
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

    def weights(self, basis: Basis) -> Array:
        """Coefficients (3, C) with which the three paths reach the loss in this forward pass."""
        channels = self.rates.shape[1]
        found = np.empty((3, channels))
        flat = np.stack([rows(direction) for direction in self.directions])
        for feature in range(channels):
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
    axes = (0, *range(2, x.ndim))
    std = x.std(axis=axes, keepdims=True)
    rng = np.random.default_rng([probe.key[0], 7])
    directions = std * np.stack([np.ones_like(x), (x - x.mean(axis=axes, keepdims=True)) / std, dy, dy])
    directions += 0.3 * std * rng.standard_normal((4, *x.shape))

    def y_at(x: Array, gamma: Array, beta: Array) -> Array:
        result = call.call(forward, "forward", x, gamma, beta, eps=probe.eps)
        return call.like(call.pair(result, "forward")[0], probe.x, "forward", []).array

    step = STEP[dtype]
    rates = []
    try:
        for v in directions:
            near = y_at(x + step * v, probe.gamma, probe.beta) - y_at(x - step * v, probe.gamma, probe.beta)
            far = y_at(x + 2 * step * v, probe.gamma, probe.beta) - y_at(x - 2 * step * v, probe.gamma, probe.beta)
            rates.append((dy * (8 * near - far)).sum(axis=axes) / (12 * step))
        here = y_at(x, probe.gamma, probe.beta)
        dgamma = (dy * (y_at(x, probe.gamma + 1, probe.beta) - here)).sum(axis=axes)
        dbeta = (dy * (y_at(x, probe.gamma, probe.beta + 1) - here)).sum(axis=axes)
    except call.Slip:
        return None
    return Own(directions, np.stack(rates), dgamma, dbeta, ALLOWED[dtype])
