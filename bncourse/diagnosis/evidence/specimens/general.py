"""What can go wrong before any number is compared: errors, shapes, types, side effects. Wrong on purpose."""

from itertools import count
from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward, wrong
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]
Result = tuple[Array, Array, Array]
_calls = count(1)


@wrong("raised", "backward")
def four_features_only(dy: Array, cache: Any) -> Result:
    weights = np.ones(17)
    return plain_backward(dy * weights, cache)


@wrong("nothing-returned", "backward")
def forgets_to_return(dy: Array, cache: Any) -> None:
    plain_backward(dy, cache)


@wrong("wrong-structure", "backward")
def only_dx(dy: Array, cache: Any) -> Array:
    return plain_backward(dy, cache)[0]


@wrong("input-changed", "forward")
def centers_in_place(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    kept = x.copy()
    x -= x.mean(axis=0)
    return plain_forward(kept, gamma, beta, eps)


@wrong("dy-changed", "backward")
def scales_dy_in_place(dy: Array, cache: Any) -> Result:
    result = plain_backward(dy, cache)
    dy *= cache["gamma"]
    return result


@wrong("not-finite", "forward")
def root_of_deviations(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    cache = plain_forward(x, gamma, beta, eps)[1]
    return gamma * np.sqrt(cache["x_hat"]) ** 2 + beta, cache


@wrong("wrong-shape", "backward")
def dx_for_one_sample(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx[0], dgamma, dbeta


@wrong("transposed", "backward")
def features_first(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx.T, dgamma, dbeta


@wrong("wrong-dtype", "backward")
def filled_into_integers(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    whole = np.zeros(dx.shape, dtype=int)
    whole[:] = dx
    return whole, dgamma, dbeta


@wrong("constant-answer", "forward")
def learned_by_heart(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    heart = np.linspace(-1, 1, x.size).reshape(x.shape)
    return heart, plain_forward(x, gamma, beta, eps)[1]


@wrong("constant-answer", "backward")
def always_zero(dy: Array, cache: Any) -> Result:
    _, dgamma, dbeta = plain_backward(dy, cache)
    return np.zeros_like(dy), dgamma, dbeta


@wrong("not-repeatable", "backward")
def counts_its_calls(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx * (1 + 0.0137 * next(_calls)), dgamma, dbeta


@wrong("imprecise", "backward")
def through_single_precision(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx.astype(np.float32).astype(np.float64), dgamma, dbeta


@wrong("stage-wrong", "staged")
def mean_stage_without_sum(dy: Array, cache: Any) -> Any:
    gradients, stages = reference.batch_norm_backward_staged(dy, cache)
    return gradients, stages._replace(dmean=stages.dmean / len(dy))


@wrong("stages-unnamed", "staged")
def own_names(dy: Array, cache: Any) -> Any:
    gradients, stages = reference.batch_norm_backward_staged(dy, cache)
    return gradients, {f"step {number}": stage for number, stage in enumerate(stages)}
