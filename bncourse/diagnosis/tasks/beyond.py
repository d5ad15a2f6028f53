"""Programs for `beyond`, each right without slips: layer norm's gradients, group norm, two reports joined."""

from typing import Any

import numpy as np

from bncourse.diagnosis.tasks import exchange
from bncourse.diagnosis.tasks.question import ANY, Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]


# -------------------------------------------------------------------------------------------------- layer normalization


def layer_inputs(rng: np.random.Generator, given: Given) -> Inputs:
    """An upstream gradient, and the cache of the notebook's forward pass."""
    x, gamma, beta = rng.normal(1, 2, (4, 5)), rng.uniform(0.5, 2, 5), rng.normal(size=5)
    return Inputs((rng.normal(size=(4, 5)), given["layer_norm_forward"](x, gamma, beta, eps=0.3)[1]))


def layer_dx(s: Slips, _: Given, dy: Array, cache: dict[str, Array]) -> Any:
    """The gradient of x; the other two are not looked at."""
    x_hat, inv_std, gamma = cache["x_hat"], cache["inv_std"], cache["gamma"]
    axis = 0 if "layer-dx-along-samples" in s else 1
    g, front = dy * gamma, np.ones_like(gamma)
    if "layer-dx-gamma-pulled-out" in s:
        g, front = dy, gamma
    if "layer-dx-gamma-missing" in s:
        g = dy
    if "layer-dx-gamma-twice" in s:
        front = gamma
    mean_path, var_path = g, g
    if "layer-dx-gamma-lost-in-a-path" in s:
        mean_path = dy
    if "layer-dx-gamma-lost-in-a-path/2" in s:
        var_path = dy
    if "layer-dx-gamma-lost-in-a-path/3" in s:
        mean_path = var_path = dy
    average = np.sum if "layer-dx-sum-for-mean" in s else np.mean
    through_mean = average(mean_path, axis=axis, keepdims=True)
    through_var = x_hat * average(var_path * x_hat, axis=axis, keepdims=True)
    if "layer-dx-divided-by-samples" in s:
        wrong = dy.shape[1] / dy.shape[0]
        through_mean, through_var = wrong * through_mean, wrong * through_var
    if "layer-dx-variance-path-squared-away" in s:
        through_var = average(var_path * x_hat, axis=axis, keepdims=True)
    if "layer-dx-mean-path-missing" in s:
        through_mean = 0 * through_mean
    if "layer-dx-variance-path-missing" in s:
        through_var = 0 * through_var
    if "layer-dx-path-flipped" in s:
        through_var = -through_var
    if "layer-dx-path-flipped/2" in s:
        through_mean = -through_mean
    scale = np.ones_like(inv_std) if "layer-dx-not-divided" in s else inv_std
    scale = inv_std**2 if "layer-dx-divided-by-variance" in s else scale
    return front * scale * (g - through_mean - through_var), ANY, ANY


def layer_parameters(s: Slips, _: Given, dy: Array, cache: dict[str, Array]) -> Any:
    """The gradients of gamma and beta."""
    x_hat, inv_std, gamma = cache["x_hat"], cache["inv_std"], cache["gamma"]
    dgamma, dbeta = dy * x_hat, dy
    if "layer-parameters-gamma-inside" in s:
        dgamma = dgamma * gamma
    if "layer-parameters-with-centered-x" in s:
        dgamma = dgamma / inv_std
    if "layer-parameters-like-beta" in s:
        dgamma = dy
    if "layer-parameters-gamma-in-dbeta" in s:
        dbeta = dy * gamma
    axis = 1 if "layer-parameters-along-features" in s else 0
    average = np.mean if "layer-parameters-averaged" in s else np.sum
    if "layer-parameters-not-summed" in s:
        return ANY, dgamma, dbeta
    results = average(dgamma, axis=axis), average(dbeta, axis=axis)
    if "layer-parameters-one-number" in s:
        results = dgamma.sum(), dbeta.sum()
    if "layer-parameters-order" in s:
        results = results[1], results[0]
    return ANY, *results


# -------------------------------------------------------------------------------------------------- group normalization


def group_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Maps of six channels in three groups."""
    maps = rng.normal(rng.normal(size=(2, 6, 1, 1)), rng.uniform(0.5, 3, (2, 6, 1, 1)), (2, 6, 2, 3))
    return Inputs((maps, rng.uniform(0.5, 2, 6), rng.normal(size=6), 3), {"eps": float(rng.uniform(0.2, 0.6))})


def group_forward(s: Slips, _: Given, x: Array, gamma: Array, beta: Array, groups: int, *, eps: float = 1e-5) -> Any:
    """The output; the cache is not looked at."""
    n, c, h, w = x.shape
    order = np.arange(c)
    if "group-forward-strided" in s:
        order = order.reshape(c // groups, groups).T.ravel()
    count = groups
    if "group-forward-groups-ignored" in s:
        count = 1
    if "group-forward-channel-by-channel" in s:
        count = c
    if "group-forward-size-for-number" in s:
        count = c // groups
    grouped = x[:, order].reshape(n, count, c // count, h, w)
    axes: tuple[int, ...] = (2, 3, 4)
    if "group-forward-over-the-batch" in s:
        axes = (0, 2, 3, 4)
    if "group-forward-each-place" in s:
        axes = (2,)
    var = grouped.var(axis=axes, keepdims=True, ddof=1 if "group-forward-count-minus-one" in s else 0)
    eps = 0.0 if "group-forward-eps-ignored" in s else 1e-5 if "group-forward-eps-ignored/2" in s else eps
    root = np.sqrt(var) + eps if "group-forward-eps-outside-root" in s else np.sqrt(var + eps)
    root = var + eps if "group-forward-root-missing" in s else root
    centered = grouped - grouped.mean(axis=axes, keepdims=True)
    x_hat = (grouped if "group-forward-not-centered" in s else centered) / root
    x_hat = x_hat.reshape(x.shape)[:, np.argsort(order)]
    scale, shift = gamma[:, None, None], beta[:, None, None]
    if "group-forward-gamma-missing" in s:
        scale, shift = np.ones_like(scale), np.zeros_like(shift)
    if "group-forward-gamma-missing/2" in s:
        scale = np.ones_like(scale)
    if "group-forward-gamma-missing/3" in s:
        shift = np.zeros_like(shift)
    return scale * x_hat + shift, ANY


# --------------------------------------------------------------------------------------------------------- two reports


def merge_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """The reports of two parts of different counts, whose means lie apart."""
    parts = rng.normal(1, 2, (3, 2)), rng.normal(3, 1, (7, 2))
    first, second = ((part.mean(axis=0), part.var(axis=0), len(part)) for part in parts)
    return Inputs((first, second))


def merge(s: Slips, _: Given, first: tuple[Any, ...], second: tuple[Any, ...]) -> Any:
    """Mean, variance and count of both parts together."""
    (mean_a, var_a, a), (mean_b, var_b, b) = first, second
    count = a + b
    delta = mean_b - mean_a
    mean = mean_a + delta * b / count
    within, between = (a * var_a + b * var_b) / count, delta**2 * a * b / count**2
    if "merge-mean-not-weighted" in s:
        mean = (mean_a + mean_b) / 2
    if "merge-weights-swapped" in s:
        mean = (b * mean_a + a * mean_b) / count
    if "merge-variances-not-weighted" in s:
        within = (var_a + var_b) / 2
    if "merge-variances-added" in s:
        within = var_a + var_b
    if "merge-count-minus-one" in s:
        within = ((a - 1) * var_a + (b - 1) * var_b) / (count - 2)
    if "merge-count-minus-one/2" in s:
        within, between = within * count / (count - 1), between * count / (count - 1)
    if "merge-distance-left-out" in s:
        between = 0 * between
    if "merge-distance-not-squared" in s:
        between = np.abs(delta) * a * b / count**2
    if "merge-distance-not-squared/2" in s:
        between = delta * a * b / count**2
    if "merge-distance-over-count-once" in s:
        between = delta**2 * a * b / count
    if "merge-plain-averages" in s:
        mean, within, between = (mean_a + mean_b) / 2, (var_a + var_b) / 2, 0 * between
    if "merge-distance-quarter" in s:
        between = delta**2 / 4
    if "merge-distance-whole" in s:
        between = delta**2
    if "merge-distance-subtracted" in s:
        between = -between
    var = within + between
    if "merge-not-divided" in s:
        var = var * count
    if "merge-root" in s:
        var = np.sqrt(var)
    if "merge-count-wrong" in s:
        count = 2
    if "merge-count-wrong/2" in s:
        count = max(a, b)
    return mean, var, count


QUESTIONS = {
    "layer-dx": Question(
        layer_inputs,
        layer_dx,
        ("layer-dx",),
        given=("layer_norm_forward",),
        ways={"layer-dx-gamma-lost-in-a-path": 3, "layer-dx-path-flipped": 2},
    ),
    "layer-parameters": Question(layer_inputs, layer_parameters, ("layer-parameters",), given=("layer_norm_forward",)),
    "group-forward": Question(
        group_inputs,
        group_forward,
        ("group-forward",),
        ways={"group-forward-eps-ignored": 2, "group-forward-gamma-missing": 3},
    ),
    "merge": Question(
        merge_inputs,
        merge,
        ("merge",),
        ways={"merge-count-minus-one": 2, "merge-distance-not-squared": 2, "merge-count-wrong": 2},
    ),
    **exchange.QUESTIONS,
}
"""By the test's name in the assignment."""
