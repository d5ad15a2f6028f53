"""What did the learner sum? dgamma and dbeta against everything that is known to be written in their place."""

from itertools import combinations
from typing import Any

import numpy as np

from bncourse.diagnosis.catalogue import order_of
from bncourse.diagnosis.causes import without_eps
from bncourse.diagnosis.paths import rows
from bncourse.diagnosis.trials import Trial, survives

Array = np.ndarray[Any, Any]
Candidate = tuple[tuple[str, ...], Array, Array]


def candidates(part: str, trial: Trial, *, own: bool) -> list[Candidate]:
    """Beliefs, what they give, and the size of its terms; the same ones in the same order for every probe."""
    probe = trial.probe
    model = trial.own_model if own else trial.expected.right
    wide = (np.broadcast_to(one, probe.x.shape) for one in (model.y, model.x_hat, model.inv_std))
    y, x_hat, inv_std = (rows(one) for one in wide)
    dy, x = rows(probe.dy), rows(probe.x)
    count = dy.shape[0]
    one = np.ones_like(dy)
    centered = x_hat / inv_std
    factors: list[tuple[str, Array]]
    if part == "dgamma":
        multiplied = [
            ("", x_hat),
            ("dgamma-without-x-hat", one),
            ("dgamma-with-x", x),
            ("dgamma-with-x", x * inv_std),
            ("dgamma-with-centered", centered),
            ("dgamma-with-y", y),
            ("dgamma-with-std", x_hat * inv_std),
        ]
        with np.errstate(all="ignore"):
            plain = np.sqrt(1 / inv_std**2 - probe.eps)
            for belief, divisor in (
                ("backward-eps-ignored", plain),
                ("backward-eps-outside-root", plain + probe.eps),
                ("backward-eps-subtracted", np.sqrt(plain**2 - probe.eps)),
                *(("backward-eps-hard-coded", np.sqrt(plain**2 + value)) for value in (1e-3, 1e-4, 1e-5, 1e-8)),
            ):
                multiplied.append((belief, centered / divisor))
        factors = [("dgamma-mean", np.asarray(1 / count)), ("dgamma-flipped", np.asarray(-1.0))]
        factors.append(("dgamma-times-gamma", probe.gamma))
        factors.append(("dgamma-times-gamma", 1 / probe.gamma))
    else:
        multiplied = [("", one), ("dbeta-with-x-hat", x_hat)]
        factors = [("dbeta-mean", np.asarray(1 / count)), ("dbeta-flipped", np.asarray(-1.0))]
        factors.append(("dbeta-times-gamma", probe.gamma))
    chosen: list[tuple[tuple[str, ...], Array]] = [((), np.asarray(1.0))]
    chosen += [((belief,), factor) for belief, factor in factors]
    chosen += [((one[0], two[0]), one[1] * two[1]) for one, two in combinations(factors, 2)]
    found: list[Candidate] = []
    for base, term in multiplied:
        products = dy * term
        size = np.abs(products).sum(axis=0)
        for beliefs, factor in chosen:
            named = (*((base,) if base else ()), *beliefs)
            found.append((named, products.sum(axis=0) * factor, size * np.abs(factor)))
        total = np.full(len(probe.gamma), products.sum())
        named = (*((base,) if base else ()), "parameter-gradient-total-sum")
        found.append((named, total, np.full(total.shape, size.sum())))
    if probe.x.ndim > 2:
        products = probe.dy.reshape(dy.shape) * (x_hat if part == "dgamma" else one)
        found.append((("conv-reshape",), products.sum(axis=0), np.abs(products).sum(axis=0)))
    if part == "dgamma":
        early = dy.sum(axis=0) * x_hat.sum(axis=0)
        found.append((("dgamma-summed-too-early",), early, np.abs(dy).sum(axis=0)))
    return found


def explain(part: str, trial: Trial) -> tuple[str, ...]:
    """Name the fewest beliefs that give this dgamma or dbeta, also on probes that were not searched.

    Parameters
    ----------
    part : {"dgamma", "dbeta"}
        Which of the two.
    trial : Trial
        What the student's functions gave.
    """
    value = trial.values[part]
    allowed = 10 * trial.allowed(value.dtype)
    for own in (True, False) if trial.switches is not None else (False,):
        known = candidates(part, trial, own=own)
        fitting = [
            position
            for position, (beliefs, expected, size) in enumerate(known)
            if beliefs and (np.abs(value.array - expected) <= allowed * size).all()
        ]
        for position in sorted(fitting, key=lambda one: (len(known[one][0]), order_of(known[one][0]))):

            def predict(other: Trial, position: int = position, own: bool = own) -> Array:
                return candidates(part, other, own=own)[position][1]

            if survives(trial, part, predict, max(1e-7, 10 * allowed)):
                return without_eps(trial, part, tuple(dict.fromkeys(known[position][0])))
    return ()
