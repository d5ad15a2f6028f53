"""More programs for `beyond`, each right without slips: group norm's gradients, two machines, weights, a leak."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]


# ---------------------------------------------------------------------------------------- group normalization, way back


def observed_group(backward: Callable[..., Any], given: Given) -> Callable[..., Any]:
    """The gradients after the student's own forward pass; where that is wrong, the call fails and nothing is said."""

    def observed(dy: Array, x: Array, gamma: Array, beta: Array, groups: int, eps: float) -> Any:
        y, cache = given["group_norm_forward"](x, gamma, beta, groups, eps=eps)
        x_hat, _ = _grouped(x, groups, eps)
        right = gamma[:, None, None] * x_hat.reshape(x.shape) + beta[:, None, None]
        if np.abs(np.asarray(y, dtype=float) - right).max() > 1e-8:
            raise ValueError("another forward pass")
        return backward(dy, cache)

    return observed


def _grouped(x: Array, groups: int, eps: float) -> tuple[Array, Array]:
    """Normalized values, one row a group, and one over their standard deviation."""
    rows = x.reshape(len(x), groups, -1)
    inv_std = 1 / np.sqrt(rows.var(axis=2, keepdims=True) + eps)
    return (rows - rows.mean(axis=2, keepdims=True)) * inv_std, inv_std


def group_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Maps of six channels in three groups, and an upstream gradient."""
    x, dy = rng.normal(1, 2, (2, 6, 2, 3)), rng.normal(0.5, 1, (2, 6, 2, 3))
    return Inputs((dy, x, rng.uniform(0.5, 2, 6), rng.normal(size=6), 3, float(rng.uniform(0.2, 0.5))))


def group(s: Slips, _: Given, dy: Array, x: Array, gamma: Array, beta: Array, groups: int, eps: float) -> Any:
    """The three gradients."""
    x_hat, inv_std = _grouped(x, groups, eps)
    scale = gamma[:, None, None]
    front = np.ones_like(scale)
    g = dy * scale
    if "group-backward-gamma-missing" in s:
        g = dy
    if "group-backward-gamma-pulled-out" in s:
        g, front = dy, scale
    rows = g.reshape(x_hat.shape)
    average = np.sum if "group-backward-sum-for-mean" in s else np.mean
    mean, along = average(rows, axis=2, keepdims=True), x_hat * average(rows * x_hat, axis=2, keepdims=True)
    if "group-backward-statistics-constant" in s:
        mean, along = 0 * mean, 0 * along
    if "group-backward-mean-path-missing" in s:
        mean = 0 * mean
    if "group-backward-variance-path-missing" in s:
        along = 0 * along
    if "group-backward-path-flipped" in s:
        along = -along
    if "group-backward-path-flipped/2" in s:
        mean = -mean
    divided = np.ones_like(inv_std) if "group-backward-not-divided" in s else inv_std
    dx = front * (divided * (rows - mean - along)).reshape(dy.shape)
    places, whole = (0, 2, 3), x_hat.reshape(dy.shape)
    dgamma, dbeta = (dy * whole).sum(axis=places), dy.sum(axis=places)
    if "group-backward-gamma-inside" in s:
        dgamma = dgamma * gamma
    if "group-backward-averaged" in s:
        dgamma, dbeta = (dy * whole).mean(axis=places), dy.mean(axis=places)
    if "group-backward-averaged/2" in s:
        dgamma = (dy * whole).mean(axis=places)
    if "group-backward-averaged/3" in s:
        dbeta = dy.mean(axis=places)
    if "group-backward-dgamma-like-dbeta" in s:
        dgamma = dbeta
    return (dx, dbeta, dgamma) if "group-backward-order" in s else (dx, dgamma, dbeta)


# -------------------------------------------------------------------------------------------------------- two machines


def observed_back(dx_of_part: Callable[..., Any], given: Given) -> Callable[..., Any]:
    """The gradient of both machines together, by the student's two functions."""

    def observed(x_hat: Array, dy: Array, gamma: Array, inv_std: Array, first: int) -> Any:
        parts = slice(first), slice(first, None)
        told = [np.asarray(given["tell"](dy[part], x_hat[part]), dtype=float) for part in parts]
        totals = told[0] + told[1]
        found = [dx_of_part(dy[part], x_hat[part], gamma, inv_std, totals, len(dy)) for part in parts]
        return np.concatenate([np.asarray(one, dtype=float) for one in found])

    return observed


def back_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A batch in two parts of different counts."""
    x, dy = rng.normal(1, 2, (7, 3)), rng.normal(0.5, 1, (7, 3))
    inv_std = 1 / np.sqrt(x.var(axis=0) + 0.1)
    return Inputs(((x - x.mean(axis=0)) * inv_std, dy, rng.uniform(0.5, 2, 3), inv_std, 2))


def back(s: Slips, _: Given, x_hat: Array, dy: Array, gamma: Array, inv_std: Array, first: int) -> Any:
    """The gradient of both machines together."""
    parts, found = (slice(first), slice(first, None)), []
    means = "back-means-sent" in s or "back-means-sent/2" in s
    of = np.mean if means else np.sum
    told = [np.stack([of(dy[part], axis=0), of(dy[part] * x_hat[part], axis=0)]) for part in parts]
    totals, count = told[0] + told[1], float(len(dy))
    if "back-exchanged" in s:
        totals = totals[::-1]
    for part, own in zip(parts, told, strict=True):
        sums, divisor = totals, count
        if "back-own-sums" in s:
            sums, divisor = own, float(len(dy[part]))
        if "back-own-sums/2" in s:
            sums = own
        if "back-own-count" in s:
            divisor = float(len(dy[part]))
        if "back-not-divided" in s or "back-means-sent/2" in s:
            divisor = 1.0
        if "back-number-of-machines" in s:
            divisor = 2.0
        mean, along = sums[0] / divisor, x_hat[part] * sums[1] / divisor
        if "back-x-hat-left-out" in s:
            along = np.broadcast_to(sums[1] / divisor, along.shape)
        if "back-sum-left-out" in s:
            along = 0 * along
        if "back-sum-left-out/2" in s:
            mean = 0 * mean
        if "back-sum-left-out/3" in s:
            mean, along = 0 * mean, 0 * along
        if "back-added" in s:
            mean, along = -mean, -along
        scale = gamma * inv_std
        if "back-gamma-left-out" in s:
            scale = inv_std
        if "back-not-scaled" in s:
            scale = gamma
        found.append(scale * (dy[part] - mean - along))
    return np.concatenate(found)


# --------------------------------------------------------------------------------------------------- weights, and leak


def weight_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A linear layer of as many inputs as outputs, so that every order of the product has a shape."""
    return Inputs((rng.normal(1, 2, (6, 3)), rng.normal(size=(3, 3)), rng.normal(0.5, 1, (6, 3))))


def weight(s: Slips, _: Given, x: Array, w: Array, dy: Array) -> Any:
    """The gradient of the weights."""
    h = x @ w
    std = h.std(axis=0, ddof=1 if "weight-gradient-count-minus-one" in s else 0)
    x_hat = (h - h.mean(axis=0)) / std
    mean, along = dy.mean(axis=0), x_hat * (dy * x_hat).mean(axis=0)
    if "weight-gradient-sums" in s:
        mean, along = dy.sum(axis=0), x_hat * (dy * x_hat).sum(axis=0)
    if "weight-gradient-statistics-constant" in s:
        mean, along = 0 * mean, 0 * along
    if "weight-gradient-variance-constant" in s:
        along = 0 * along
    if "weight-gradient-mean-constant" in s:
        mean = 0 * mean
    dh = (dy - mean - along) / (np.ones_like(std) if "weight-gradient-not-divided" in s else std)
    if "weight-gradient-norm-left-out" in s:
        dh = dy
    if "weight-gradient-of-normalized" in s:
        return x_hat.T @ dh
    dw = x.T @ dh
    if "weight-gradient-averaged" in s:
        dw = dw / len(x)
    return dw.T if "weight-gradient-turned" in s else dw


def secret_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Own samples, and what comes back for them from a batch with one more."""
    own, other = rng.normal(2, 3, (4, 3)), rng.normal(-5, 9, 3)
    batch = np.concatenate([own, other[None]])
    return Inputs((own, ((batch - batch.mean(axis=0)) / batch.std(axis=0))[:-1]))


def secret(s: Slips, _: Given, own: Array, outputs: Array) -> Any:
    """The other sample."""
    count = len(own)
    std = own.std(axis=0) / outputs.std(axis=0)
    if "secret-scale-inverted" in s:
        std = 1 / std
    if "secret-own-statistics" in s:
        std = own.std(axis=0)
    mean = own.mean(axis=0) - outputs.mean(axis=0) * std
    if "secret-shift-added" in s:
        mean = own.mean(axis=0) + outputs.mean(axis=0) * std
    if "secret-own-statistics/2" in s:
        mean = own.mean(axis=0)
    if "secret-not-scaled" in s:
        mean = own.mean(axis=0) - outputs.mean(axis=0)
    if "secret-still-normalized" in s:
        return -outputs.sum(axis=0)
    if "secret-mean-alone" in s:
        return mean
    if "secret-other-mean" in s:
        return mean - own.mean(axis=0)
    return (count if "secret-not-counted" in s else count + 1) * mean - own.sum(axis=0)


QUESTIONS = {
    "group-backward": Question(
        group_inputs,
        group,
        ("group-backward",),
        given=("group_norm_forward",),
        reads=observed_group,
        ways={"group-backward-path-flipped": 2, "group-backward-averaged": 3},
    ),
    "back": Question(
        back_inputs,
        back,
        ("back",),
        given=("tell",),
        reads=observed_back,
        ways={"back-means-sent": 2, "back-own-sums": 2, "back-sum-left-out": 3},
    ),
    "weight-gradient": Question(weight_inputs, weight, ("weight-gradient",)),
    "secret": Question(secret_inputs, secret, ("secret",), pairs=False, ways={"secret-own-statistics": 2}),
}
"""By the test's name in the assignment."""
