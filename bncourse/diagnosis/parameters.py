"""What did the learner sum? dgamma and dbeta against everything that is known to be written in their place."""

from itertools import combinations
from typing import Any

import numpy as np

from bncourse.diagnosis.paths import rows
from bncourse.diagnosis.probes import Probe

Array = np.ndarray[Any, Any]


def explain(
    part: str, found: Array, probe: Probe, y: Array, x_hat: Array, std: Array, allowed: float
) -> tuple[str, ...] | None:
    """Name the fewest beliefs that give this dgamma or dbeta.

    Parameters
    ----------
    part : {"dgamma", "dbeta"}
        Which of the two.
    found : array of shape (C,)
        What the student's function returned.
    probe : Probe
        For which inputs.
    y, x_hat, std : arrays
        Output, normalized values (rows) and standard deviation (with eps) of the forward pass.
    allowed : float
        Tolerance relative to the size of the terms.
    """
    dy, x = rows(probe.dy), rows(probe.x)
    count = dy.shape[0]
    one = np.ones_like(dy)
    centered = x - x.mean(axis=0)
    factors: list[tuple[str, Array]]
    if part == "dgamma":
        multiplied = [
            ("", x_hat),
            ("dgamma-without-x-hat", one),
            ("dgamma-with-x", x),
            ("dgamma-with-centered", centered),
            ("dgamma-with-y", rows(y)),
        ]
        plain = np.sqrt(centered.var(axis=0))
        for belief, divisor in (
            ("backward-eps-ignored", plain),
            ("backward-eps-outside-root", plain + probe.eps),
            *(("backward-eps-hard-coded", np.sqrt(plain**2 + value)) for value in (1e-3, 1e-4, 1e-5, 1e-8)),
        ):
            multiplied.append((belief, centered / divisor))
        factors = [("dgamma-mean", np.asarray(1 / count)), ("dgamma-flipped", np.asarray(-1.0))]
        factors.append(("dgamma-times-gamma", probe.gamma))
    else:
        multiplied = [("", one), ("dbeta-with-x-hat", x_hat)]
        factors = [("dbeta-mean", np.asarray(1 / count)), ("dbeta-flipped", np.asarray(-1.0))]
        factors.append(("dbeta-times-gamma", probe.gamma))
    chosen: list[tuple[tuple[str, ...], Array]] = [((), np.asarray(1.0))]
    chosen += [((belief,), factor) for belief, factor in factors]
    chosen += [((one[0], two[0]), one[1] * two[1]) for one, two in combinations(factors, 2)]
    candidates: list[tuple[tuple[str, ...], Array, Array]] = []
    for base, term in multiplied:
        products = dy * term
        size = np.abs(products).sum(axis=0)
        for beliefs, factor in chosen:
            named = (*((base,) if base else ()), *beliefs)
            candidates.append((named, products.sum(axis=0) * factor, size * np.abs(factor)))
        total = np.full(found.shape, products.sum())
        named = (*((base,) if base else ()), "parameter-gradient-total-sum")
        candidates.append((named, total, np.full(found.shape, size.sum())))
    if part == "dgamma":
        early = dy.sum(axis=0) * x_hat.sum(axis=0)
        candidates.append((("dgamma-summed-too-early",), early, np.abs(dy).sum(axis=0)))
    for beliefs, expected, size in sorted(candidates, key=lambda candidate: len(candidate[0])):
        if beliefs and (np.abs(found - expected) <= allowed * size).all():
            return beliefs
    return None
