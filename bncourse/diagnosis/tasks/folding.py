"""Programs for the convolution in `pytorch` that takes its batch normalization in, each right without slips."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.tasks.question import ANY, Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]


def observed(fold: Callable[..., Any], given: Given) -> Callable[..., Any]:
    """A student's `fold` for arrays; in the place of the bias, whether there is one, and its values.

    Parameters
    ----------
    fold : callable
        `fold(weight, bias, gamma, beta, running_mean, running_var, eps) -> (weight, bias)` of tensors.
    """
    tensor = given["tensor"]

    def folded(*arguments: Any) -> Any:
        weight, bias = fold(*(tensor(one) if isinstance(one, np.ndarray) else one for one in arguments))
        return weight.detach().numpy(), (0.0, 0.0) if bias is None else (1.0, bias.detach().numpy())

    return folded


def inputs(rng: np.random.Generator, _: Given) -> list[Inputs]:
    """A convolution all of whose axes are equal, with a bias and without, and the batch norm behind it."""
    weight, bias = rng.normal(size=(3, 3, 3, 3)), rng.normal(1, 1, 3)
    vectors = rng.uniform(0.5, 2, 3), rng.normal(1, 1, 3), rng.normal(2, 1, 3), rng.uniform(0.5, 3, 3)
    eps = float(rng.uniform(0.2, 0.5))
    return [Inputs((weight, one, *vectors, eps)) for one in (bias, None)]


def folded_weight(
    s: Slips,
    _: Given,
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    mean: Array,
    var: Array,
    eps: float,
) -> Any:
    """The weight; the bias is not looked at."""
    scale = gamma / _root(s, "fold-weight", var, eps)
    if "fold-weight-gamma-left-out" in s:
        scale = scale / gamma
    if "fold-weight-not-divided" in s:
        scale = gamma
    if "fold-weight-multiplied" in s:
        scale = gamma * np.sqrt(var + eps)
    if "fold-weight-gamma-divides" in s:
        scale = np.sqrt(var + eps) / gamma
    shape = (-1, 1, 1, 1)
    if "fold-weight-input-channels" in s:
        shape = (1, -1, 1, 1)
    if "fold-weight-columns" in s:
        shape = (1, 1, 1, -1)
    if "fold-weight-columns/2" in s:
        shape = (1, 1, -1, 1)
    found = weight * scale.reshape(shape)
    if "fold-weight-as-it-was" in s:
        found = weight
    if "fold-weight-mean-subtracted" in s:
        found = (weight - mean.reshape(-1, 1, 1, 1)) * scale.reshape(shape)
    if "fold-weight-beta-added" in s:
        found = found + beta.reshape(-1, 1, 1, 1)
    if "fold-weight-mean-and-beta" in s:
        found = (weight - mean.reshape(-1, 1, 1, 1)) * scale.reshape(shape) + beta.reshape(-1, 1, 1, 1)
    return found, ANY


def folded_bias(
    s: Slips,
    _: Given,
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    mean: Array,
    var: Array,
    eps: float,
) -> Any:
    """The bias; the weight is not looked at."""
    scale = gamma / _root(s, "fold-bias", var, eps)
    if "fold-bias-gamma-left-out" in s:
        scale = scale / gamma
    own = np.zeros_like(mean) if bias is None else bias
    found = beta + scale * (own - mean)
    if "fold-bias-mean-left-out" in s:
        found = beta + scale * own
    if "fold-bias-mean-added" in s:
        found = beta + scale * (own + mean)
    if "fold-bias-own-left-out" in s:
        found = beta - scale * mean
    if "fold-bias-own-not-scaled" in s:
        found = beta + own - scale * mean
    if "fold-bias-own-subtracted" in s:
        found = beta - scale * (own + mean)
    if "fold-bias-mean-not-scaled" in s:
        found = beta + scale * own - mean
    if "fold-bias-nothing-scaled" in s:
        found = beta + own - mean
    if "fold-bias-beta-left-out" in s:
        found = scale * (own - mean)
    if "fold-bias-beta-scaled" in s:
        found = scale * (own - mean + beta)
    if "fold-bias-beta-subtracted" in s:
        found = scale * (own - mean) - beta
    if "fold-bias-as-it-was" in s:
        found = own
    if "fold-bias-beta-alone" in s:
        found = beta
    if bias is None:
        if "fold-bias-none-stays-none" in s or ("fold-bias-as-it-was/2" in s):
            return ANY, (0.0, 0.0)
        if "fold-bias-none-gives-beta" in s:
            found = beta
        if "fold-bias-none-gives-zero" in s:
            found = np.zeros_like(beta)
    elif "fold-bias-as-it-was/2" in s:
        found = own
    return ANY, (1.0, found)


def _root(s: Slips, part: str, var: Array, eps: float) -> Array:
    """What gamma is divided by."""
    if f"{part}-eps-left-out" in s:
        return np.sqrt(var)
    if f"{part}-eps-left-out/2" in s:
        return np.sqrt(var + 1e-5)
    if f"{part}-eps-outside-root" in s:
        return np.asarray(np.sqrt(var) + eps)
    if f"{part}-root-left-out" in s:
        return var + eps
    if f"{part}-variance-taken-for-std" in s:
        return np.sqrt(var**2 + eps)
    return np.sqrt(var + eps)


QUESTIONS = {
    "fold-weight": Question(
        inputs,
        folded_weight,
        ("fold-weight",),
        reads=observed,
        given=("tensor",),
        ways={"fold-weight-columns": 2, "fold-weight-eps-left-out": 2},
    ),
    "fold-bias": Question(
        inputs,
        folded_bias,
        ("fold-bias",),
        reads=observed,
        given=("tensor",),
        ways={"fold-bias-eps-left-out": 2, "fold-bias-as-it-was": 2},
    ),
}
"""By the test's name in the assignment."""
