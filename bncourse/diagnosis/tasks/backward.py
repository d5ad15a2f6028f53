"""Programs for `backward` beside the gradients themselves: the term that vanishes, and the projection."""

from typing import Any

import numpy as np

from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]


def part_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A batch, a center that is not its mean, and an upstream gradient."""
    return Inputs((rng.normal(2, 3, (7, 3)), rng.normal(size=3), rng.normal(size=3)))


def part(s: Slips, _: Given, x: Array, center: Array, dvar: Array) -> Any:
    """The second part of the gradient of the mean."""
    deviations = (x - center).sum(axis=0)
    if "second-part-batch-mean" in s:
        deviations = (x - x.mean(axis=0)).sum(axis=0)
    if "second-part-zero" in s:
        return np.zeros_like(dvar)
    if "second-part-averaged-twice" in s:
        deviations = deviations / len(x)
    if "second-part-squared" in s:
        deviations = ((x - center) ** 2).sum(axis=0)
    if "second-part-not-summed" in s:
        return dvar * (-2 / len(x)) * (x - center)
    factor = -2.0
    if "second-part-sign" in s:
        factor = 2.0
    if "second-part-two-lost" in s:
        factor = -1.0
    if "second-part-upstream-lost" in s:
        dvar = np.ones_like(dvar)
    found = dvar * factor * deviations
    return found if "second-part-not-divided" in s else found / len(x)


def projection_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """One channel."""
    return Inputs((rng.normal(4, 3, 6),))


def projection(s: Slips, _: Given, x: Array) -> Any:
    """The matrix of the backward pass."""
    m = len(x)
    x_hat, ones = (x - x.mean()) / x.std(), np.full((m, m), 1 / m)
    if "projection-estimated-deviation" in s:
        x_hat = (x - x.mean()) / x.std(ddof=1)
    along = np.outer(x_hat, x_hat) / m
    if "projection-with-x" in s:
        along = np.outer(x, x) / m
    if "projection-with-x/2" in s:
        along = np.outer(x - x.mean(), x - x.mean()) / m
    if "projection-not-divided" in s:
        along = along * m
    if "projection-not-divided/2" in s:
        along, ones = along * m, ones * m
    if "projection-not-divided/3" in s:
        ones = ones * m
    if "projection-diagonal" in s:
        ones = np.eye(m) / m
    if "projection-diagonal/2" in s:
        along = np.diag(x_hat**2) / m
    if "projection-mean-left-out" in s:
        ones = 0 * ones
    if "projection-x-hat-left-out" in s:
        along = 0 * along
    if "projection-sign" in s:
        along = -along
    if "projection-sign/2" in s:
        ones = -ones
    P = np.eye(m) - ones - along
    if "projection-complement" in s:
        P = ones + along
    return P / x.std() if "projection-divided" in s else P


QUESTIONS = {
    "second-part": Question(part_inputs, part, ("second-part",)),
    "projection": Question(
        projection_inputs,
        projection,
        ("projection",),
        ways={
            "projection-with-x": 2,
            "projection-not-divided": 3,
            "projection-diagonal": 2,
            "projection-sign": 2,
        },
    ),
}
"""By the answer's name in the assignment."""
