r"""Which path did the learner lose? A least-squares fit of dx on the three ways in which x reaches the loss.

The gradient of a batch-normalized feature is

.. math:: dx = g \left(dy - \overline{dy} - \hat x\, \overline{dy\, \hat x}\right),
          \qquad g = \gamma / \sqrt{\sigma^2 + \epsilon},

so with the three terms as a basis its coefficients are (1, -1, -1), feature by feature. The coefficients of a wrong dx
say which path is missing, flipped or scaled, and by what: a count, a gamma, a power of the standard deviation. What no
fit explains lies outside the span.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.probes import Probe

Array = np.ndarray[Any, Any]

RIGHT = (1.0, -1.0, -1.0)
"""Coefficients of the direct path, the path through the mean and the path through the variance."""


@dataclass(frozen=True, eq=False)
class Basis:
    """The three terms of dx, for rows of samples and columns of features."""

    terms: Array
    """Shape (3, count, C)."""
    size: Array
    """Size of the terms by feature, shape (C,)."""
    count: int


def rows(array: Array) -> Array:
    """(N, C, *places) as (N * places, C)."""
    return np.moveaxis(array, 1, -1).reshape(-1, array.shape[1])


def make_basis(dy: Array, x_hat: Array, gain: Array) -> Basis:
    """Form the basis for upstream gradient dy (rows), normalized values x_hat (rows) and a factor for each feature."""
    direct = dy
    mean = np.broadcast_to(dy.mean(axis=0), dy.shape)
    var = x_hat * (dy * x_hat).mean(axis=0)
    terms = np.stack([direct, mean, var]) * gain
    return Basis(terms, np.abs(terms).max(axis=(0, 1)), dy.shape[0])


def fit(dx: Array, basis: Basis) -> tuple[Array, float]:
    """Coefficients (3, C) of dx in the basis, and the largest residual relative to the terms' size."""
    coefficients = np.empty((3, dx.shape[1]))
    worst = 0.0
    for feature in range(dx.shape[1]):
        columns = basis.terms[:, :, feature].T
        solution = np.linalg.lstsq(columns, dx[:, feature], rcond=None)[0]
        coefficients[:, feature] = solution
        residual = float(np.abs(columns @ solution - dx[:, feature]).max())
        worst = max(worst, residual / max(float(basis.size[feature]), float(np.abs(dx[:, feature]).max()), 1e-300))
    return coefficients, worst


class Move(NamedTuple):
    """What a belief does to the coefficients: factors of shape (3, C)."""

    belief: str
    factors: Array


def _move(belief: str, *factors: Any, channels: int) -> Move:
    return Move(belief, np.stack([np.broadcast_to(np.asarray(factor, dtype=float), (channels,)) for factor in factors]))


def moves(probe: Probe, inv_std: Array, var: Array) -> list[Move]:
    """Every belief that stays in the span, for the numbers of this probe.

    Parameters
    ----------
    probe : Probe
        Whose gamma, beta, eps and count stand in the factors.
    inv_std, var : arrays of shape (C,)
        Of the forward pass whose gradient is asked for.
    """
    n, gamma, beta, eps, s = float(probe.count), probe.gamma, probe.beta, probe.eps, inv_std
    channels = len(gamma)
    found: list[Move] = []

    def add(belief: str, direct: Any, mean: Any, variance: Any) -> None:
        found.append(_move(belief, direct, mean, variance, channels=channels))

    add("mean-path-missing", 1, 0, 1)
    add("variance-path-missing", 1, 1, 0)
    add("statistics-detached", 1, 0, 0)
    add("direct-path-missing", 0, 1, 1)
    add("mean-path-flipped", 1, -1, 1)
    add("variance-path-flipped", 1, 1, -1)
    add("both-paths-flipped", 1, -1, -1)
    add("dx-flipped", -1, -1, -1)
    add("sum-for-mean", 1, n, n)
    add("mean-path-sum", 1, n, 1)
    add("variance-path-sum", 1, 1, n)
    add("mean-path-divided-twice", 1, 1 / n, 1)
    add("variance-path-divided-twice", 1, 1, 1 / n)
    add("count-minus-one", 1, n / (n - 1), n / (n - 1))
    add("variance-path-count-minus-one", 1, 1, n / (n - 1))
    add("factor-two-lost", 1, 1, 0.5)
    add("factor-half-lost", 1, 1, 2)
    add("dx-gamma-missing", *[1 / gamma] * 3)
    add("dx-gamma-doubled", *[gamma] * 3)
    add("dx-gamma-one-plus", *[(1 + gamma) / gamma] * 3)
    add("inverse-std-missing", *[1 / s] * 3)
    add("inverse-std-doubled", *[s] * 3)
    add("variance-path-root-lost", 1, 1, 1 / s)
    add("variance-path-root-lost", 1, 1, 1 / s**2)
    add("variance-path-root-gained", 1, 1, s)
    add("variance-path-root-gained", 1, 1, s**2)
    add("dx-divided-by-count", *[1 / n] * 3)
    add("dx-times-count", *[n] * 3)
    add("dy-passed-through", 1 / (gamma * s), 0, 0)
    add("cache-order", *[beta / gamma] * 3)
    places = n / probe.x.shape[0]
    if places > 1:
        add("conv-count", 1, places, places)
        add("conv-count", 1, places, 1)
        add("conv-count", 1, 1, places)
    with np.errstate(all="ignore"):
        wrong_eps = {
            "backward-eps-ignored": [1 / np.sqrt(var)],
            "backward-eps-outside-root": [1 / (np.sqrt(var) + eps)],
        }
        wrong_eps["backward-eps-hard-coded"] = [1 / np.sqrt(var + value) for value in (1e-3, 1e-4, 1e-5, 1e-8)]
        for belief, inverses in wrong_eps.items():
            for inverse in inverses:
                r = inverse / s
                # everywhere; in front only; in the variance's node, as x_hat computed anew, as a power of three
                for factors in (
                    (r, r, r**3),
                    (r, r, r),
                    (1, 1, r),
                    (1, 1, r**2),
                    (1, 1, r**3),
                    (r, r, 1),
                    (r, r, r**2),
                ):
                    add(belief, *factors)
    return found


def explain(
    coefficients: Array, truths: list[tuple[tuple[str, ...], Array]], known: list[Move], allowed: float, basis: Basis
) -> tuple[str, ...] | None:
    """Name the fewest beliefs that turn one of the truths into these coefficients.

    Parameters
    ----------
    coefficients : array of shape (3, C)
        From `fit`.
    truths : list of (beliefs, array of shape (3,) or (3, C))
        What the coefficients may start from, and the beliefs that this start itself implies.
    known : list of Move
        From `moves`.
    allowed : float
        Tolerance relative to the size of dx.
    """
    size = np.abs(basis.terms).max(axis=1) / basis.size
    singles = np.stack([move.factors for move in known])
    couples = list(combinations(range(len(known)), 2))
    first, second = np.array(couples).T
    for number in (0, 1, 2):
        for beliefs, start in truths:
            truth = np.broadcast_to(np.reshape(np.asarray(start, dtype=float), (3, -1)), coefficients.shape)
            tried = {0: np.ones((1, *truth.shape)), 1: singles, 2: singles[first] * singles[second]}[number] * truth
            # relative to what the coefficients would be, so that a factor as small as 1 / count still counts
            scale = np.maximum(1.0, (np.abs(tried) * size).max(axis=1, keepdims=True))
            worst = (np.abs(coefficients - tried) * size / scale).max(axis=(1, 2))
            best = int(np.argmin(worst))
            if worst[best] <= allowed:
                named: list[tuple[str, ...]] = [(), ()]
                if number == 1:
                    named = [(known[best].belief,)]
                elif number == 2:
                    one, other = (known[position].belief for position in couples[best])
                    named = [(one,)] if one == other else [(one, other)]
                return (*beliefs, *named[0])
    return None
