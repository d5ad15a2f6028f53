r"""Which path did the learner lose? A least-squares fit of dx on the three ways in which x reaches the loss.

The gradient of a batch-normalized feature is

.. math:: dx = g \left(dy - \overline{dy} - \hat x\, \overline{dy\, \hat x}\right),
          \qquad g = \gamma / \sqrt{\sigma^2 + \epsilon},

so with the three terms as a basis its coefficients are (1, -1, -1), feature by feature. The coefficients of a wrong dx
say which path is missing, flipped or scaled, and by what: a count, a gamma, a power of the standard deviation. What no
fit explains lies outside the span.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.catalogue import order_of
from bncourse.diagnosis.probes import Probe

Array = np.ndarray[Any, Any]

SINGLE = ("front-factor-partial", "gamma-partial")
"""Beliefs that are not tried together with a second one."""
EPS_USES = np.array(
    [
        *((1, 1, 3), (1, 1, 1), (0, 0, 1), (0, 0, 2), (0, 0, 3), (1, 1, 0)),
        *((1, 1, 2), (0, 1, 0), (1, 0, 0), (0, 1, 3), (1, 0, 3)),
    ]
)
"""Powers in which 1 / std with another eps may stand in the three paths: everywhere; in front only; in the variance's
node, in x_hat computed again, as a power of three; and so on."""
REACHED = np.array([(1, 0, 0), (1, 1, 0), (0, 1, 1), (0, 0, 1), (0, 1, 0), (1, 0, 1)], dtype=bool)
"""Paths that a factor in front of the bracket may reach, where it does not reach all of them."""
RIGHT = (1.0, -1.0, -1.0)
"""Coefficients of the direct path, the path through the mean and the path through the variance."""


@dataclass(frozen=True, eq=False)
class Basis:
    """The three terms of dx, for rows of values and columns that share a mean."""

    terms: Array
    """Shape (3, count, sets)."""
    size: Array
    """Size of the terms by column, shape (sets,)."""
    count: int

    def combine(self, coefficients: Array) -> Array:
        """The dx of these coefficients, of shape (3,) or (3, sets)."""
        weights = np.broadcast_to(np.reshape(coefficients, (3, -1)), (3, self.terms.shape[2]))
        return np.asarray((weights[:, None, :] * self.terms).sum(axis=0))


def rows(array: Array) -> Array:
    """(N, C, *places) as (N * places, C)."""
    return array if array.ndim == 2 else np.moveaxis(array, 1, -1).reshape(-1, array.shape[1])


def make_basis(inside: Array, x_hat: Array, inv_std: Array) -> Basis:
    """Form the basis for gamma * dy, normalized values and one over the standard deviation, all in rows."""
    mean = np.broadcast_to(inside.mean(axis=0), inside.shape)
    var = x_hat * (inside * x_hat).mean(axis=0)
    terms = np.stack([inside, mean, var]) * inv_std
    return Basis(terms, np.abs(terms).max(axis=(0, 1)), inside.shape[0])


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


class Moves(NamedTuple):
    """What beliefs do to the coefficients."""

    beliefs: tuple[str, ...]
    factors: Array
    """Shape (number of moves, 3, sets)."""


def moves(probe: Probe, inv_std: Array, var: Array) -> Moves:
    """Every belief that stays in the span, for the numbers of this probe; the same ones in the same order for each.

    Parameters
    ----------
    probe : Probe
        Whose gamma, beta, eps and count stand in the factors.
    inv_std, var : arrays of shape (sets,)
        Of the forward pass whose gradient is asked for.
    """
    n, eps, s = float(probe.count), probe.eps, inv_std
    per_channel = probe.layout.kind == "batch"
    sets = len(inv_std)
    found: list[tuple[str, tuple[Any, ...]]] = []

    def add(belief: str, *factors: Any) -> None:
        found.append((belief, factors))

    add("mean-path-missing", 1, 0, 1)
    add("variance-path-missing", 1, 1, 0)
    add("statistics-detached", 1, 0, 0)
    add("direct-path-missing", 0, 1, 1)
    add("direct-path-missing", 0, 0, 1)  # lost before the graph sums it for the mean, whose path is zero then
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
    if per_channel:
        gamma, beta = probe.gamma, probe.beta
        add("dx-gamma-missing", *[1 / gamma] * 3)
        add("dx-gamma-doubled", *[gamma] * 3)
        add("dx-gamma-one-plus", *[(1 + gamma) / gamma] * 3)
        add("dy-passed-through", 1 / (gamma * s), 0, 0)
        add("cache-order", *[beta / gamma] * 3)
    add("inverse-std-missing", *[1 / s] * 3)
    add("inverse-std-doubled", *[s] * 3)
    add("dx-multiplied-by-std", *[1 / s**2] * 3)
    add("direct-path-std-missing", 1 / s, 1, 1)
    for power in (1 / s, 1 / s**2, 1 / s**3):
        add("variance-path-root-lost", 1, 1, power)
    for power in (s, s**2):
        add("variance-path-root-gained", 1, 1, power)
    add("mean-path-std-missing", 1, 1 / s, 1)
    add("dx-divided-by-count", *[1 / n] * 3)
    add("dx-times-count", *[n] * 3)
    places = n / probe.x.shape[0]
    if places > 1 and per_channel:
        for factors in ((1, places, places), (1, places, 1), (1, 1, places)):
            add("conv-count", *factors)
    other = n / probe.x.shape[1 if per_channel else 0]
    for factors in ((1, other, other), (1, other, 1), (1, 1, other)):
        add("count-of-features", *factors)
    add("count-of-features", *[1 / other] * 3)
    weights = np.empty((len(found), 3, sets))
    for position, (_, three) in enumerate(found):
        for path, factor in enumerate(three):
            weights[position, path] = factor
    beliefs, tables = [belief for belief, _ in found], [weights]
    with np.errstate(all="ignore"):
        std = np.sqrt(var)
        wrong_eps = {
            "backward-eps-ignored": [1 / std],
            "backward-eps-outside-root": [1 / (std + eps)],
            "backward-eps-subtracted": [1 / np.sqrt(var - eps)],
            "backward-eps-hard-coded": [1 / np.sqrt(var + value) for value in (1e-3, 1e-4, 1e-5, 1e-8)],
        }
        ratios = np.stack([inverse / s for inverses in wrong_eps.values() for inverse in inverses])
        beliefs += [belief for belief, inverses in wrong_eps.items() for _ in range(len(inverses) * len(EPS_USES))]
        tables.append((ratios[:, None, None, :] ** EPS_USES[:, :, None]).reshape(-1, 3, sets))
    # a factor in front of the bracket that does not reach all of it
    fronts = [np.full(sets, 1 / n), s, s / n]
    partial = ["front-factor-partial"] * 3
    if per_channel:
        gamma = probe.gamma
        fronts += [gamma, gamma / n, gamma * s, gamma * s / n]
        partial += ["gamma-partial"] + ["front-factor-partial"] * 3
    beliefs += [belief for belief in partial for _ in REACHED]
    tables.append(np.where(REACHED[:, :, None], 1.0, 1 / np.stack(fronts)[:, None, None, :]).reshape(-1, 3, sets))
    return Moves(tuple(beliefs), np.concatenate(tables))


def starts(truths: list[tuple[tuple[str, ...], Array]], sets: int) -> list[tuple[tuple[str, ...], Array]]:
    """Truths as arrays of shape (3, sets)."""
    return [
        (named, np.broadcast_to(np.reshape(np.asarray(one, dtype=float), (3, -1)), (3, sets))) for named, one in truths
    ]


class Fit(NamedTuple):
    """Coefficients that some beliefs give: which truth, and which moves."""

    beliefs: tuple[str, ...]
    truth: int
    turned: tuple[int, ...]

    def factors(self, known: Moves) -> Array | float:
        """What the moves do together, for another probe's moves."""
        found: Array | float = 1.0
        for position in self.turned:
            found = found * known.factors[position]
        return found


def fits(
    coefficients: Array,
    truths: list[tuple[tuple[str, ...], Array]],
    known: Moves,
    allowed: float,
    basis: Basis,
    number: int,
) -> list[Fit]:
    """Everything that turns one of the truths into these coefficients by so many moves, in the catalogue's order.

    Parameters
    ----------
    coefficients : array of shape (3, sets)
        From `fit`.
    truths : list of (beliefs, array of shape (3,) or (3, sets))
        What the coefficients may start from, and the beliefs that this start itself implies.
    known : Moves
        From `moves`.
    allowed : float
        Tolerance relative to the size of dx.
    number : {0, 1, 2}
        How many moves.
    """
    size = np.abs(basis.terms).max(axis=1) / basis.size
    found: list[Fit] = []
    pairable = tuple(
        one for one, belief in enumerate(known.beliefs) if belief not in ("front-factor-partial", "gamma-partial")
    )
    couples = _couples(pairable)
    for which, (beliefs, truth) in enumerate(starts(truths, coefficients.shape[1])):
        if number == 0:
            tried = truth[None]
        else:
            singles = known.factors
            tried = (singles if number == 1 else singles[couples[0]] * singles[couples[1]]) * truth
        with np.errstate(all="ignore"):
            # relative to what the coefficients would be, so that a factor as small as 1 / count still counts
            scale = np.maximum(1.0, (np.abs(tried) * size).max(axis=1, keepdims=True))
            worst = (np.abs(coefficients - tried) * size / scale).max(axis=(1, 2))
        for position in np.flatnonzero(worst <= allowed):
            turned = {0: (), 1: (int(position),)}.get(number)
            if turned is None:
                turned = (int(couples[0][position]), int(couples[1][position]))
            named = tuple(dict.fromkeys((*beliefs, *(known.beliefs[one] for one in turned))))
            found.append(Fit(named, which, turned))
    return sorted(found, key=lambda one: (len(one.beliefs), order_of(one.beliefs)))


@lru_cache(maxsize=8)
def _couples(positions: tuple[int, ...]) -> tuple[Array, Array]:
    first, second = np.array(list(combinations(positions, 2))).T
    return first, second
