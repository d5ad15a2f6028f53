"""Programs for `forward` beside the transform itself, each right without slips: the identity, the start, the bias."""

from typing import Any

import numpy as np

from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]


def identity_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A batch, and an eps that shows."""
    return Inputs((rng.normal([1, 5, -3], [1, 2, 0.5], (6, 3)),), {"eps": float(rng.uniform(0.2, 0.5))})


def identity(s: Slips, _: Given, x: Array, *, eps: float = 1e-5) -> Any:
    """The gamma and the beta that give the batch back."""
    gamma, beta = np.sqrt(x.var(axis=0) + eps), x.mean(axis=0)
    if "identity-eps-left-out" in s:
        gamma = x.std(axis=0)
    if "identity-eps-left-out/2" in s:
        gamma = np.sqrt(x.var(axis=0) + 1e-5)
    if "identity-eps-outside-root" in s:
        gamma = x.std(axis=0) + eps
    if "identity-variance" in s:
        gamma = x.var(axis=0)
    if "identity-variance/2" in s:
        gamma = x.var(axis=0) + eps
    if "identity-inverse" in s:
        gamma = 1 / gamma
    if "identity-count-minus-one" in s:
        gamma = np.sqrt(x.var(axis=0, ddof=1) + eps)
    if "identity-count-minus-one/2" in s:
        gamma = x.std(axis=0, ddof=1)
    if "identity-mean-with-sign" in s:
        beta = -beta
    if "identity-mean-divided" in s:
        beta = beta / gamma
    if "identity-ones-and-zeros" in s:
        gamma, beta = np.ones_like(gamma), np.zeros_like(beta)
    if "identity-no-shift" in s:
        beta = np.zeros_like(beta)
    return (beta, gamma) if "identity-order" in s else (gamma, beta)


def start_inputs(rng: np.random.Generator, _: Given) -> list[Inputs]:
    """Some numbers of updates."""
    return [Inputs((k, float(rng.uniform(0.15, 0.4)))) for k in (1, 2, 5)]


def start(s: Slips, _: Given, k: int, momentum: float) -> Any:
    """The weight of the start after k updates."""
    if "start-momentum-to-the-power" in s:
        return momentum**k
    if "start-linear" in s:
        return 1 - k * momentum
    if "start-of-all-batches" in s:
        return 1 - (1 - momentum) ** k
    if "start-one-off" in s:
        return (1 - momentum) ** (k + 1)
    if "start-one-off/2" in s:
        return (1 - momentum) ** (k - 1)
    if "start-of-a-batch" in s:
        return momentum * (1 - momentum) ** k
    if "start-of-a-batch/2" in s:
        return momentum * (1 - momentum) ** (k - 1)
    if "start-once" in s:
        return 1 - momentum
    if "start-multiplied" in s:
        return (1 - momentum) * k
    return (1 - momentum) ** k


def bias_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A layer of small weights, so that eps shows."""
    u, weight, bias = rng.normal(1, 2, (6, 4)), rng.normal(size=(4, 3)), rng.normal(3, 1, 3)
    return Inputs((u, weight, bias, rng.uniform(1, 2, 3), rng.normal(size=3)))


def bias(s: Slips, given: Given, u: Array, weight: Array, bias: Array, gamma: Array, beta: Array) -> Any:
    """The layer by the student's own transform."""

    def norm(z: Array, shift: Array = beta, scale: Array = gamma) -> Array:
        return np.asarray(given["batch_norm_forward"](z, scale, shift)[0], dtype=float)

    if "bias-behind" in s:
        return norm(u @ weight) + bias
    if "bias-not-normalized" in s:
        return gamma * (u @ weight + bias) + beta
    if "bias-no-parameters" in s:
        return norm(u @ weight, np.zeros_like(beta), np.ones_like(gamma))
    if "bias-no-parameters/2" in s:
        return norm(u @ weight, np.zeros_like(beta))
    if "bias-for-beta" in s:
        return norm(u @ weight, bias)
    if "bias-norm-first" in s:
        return (u - u.mean(axis=0)) / u.std(axis=0) @ weight + bias
    return norm(u @ weight + bias)


QUESTIONS = {
    "identity": Question(
        identity_inputs,
        identity,
        ("identity",),
        ways={"identity-eps-left-out": 2, "identity-variance": 2, "identity-count-minus-one": 2},
    ),
    "start": Question(start_inputs, start, ("start",), pairs=False, ways={"start-one-off": 2, "start-of-a-batch": 2}),
    "bias": Question(
        bias_inputs, bias, ("bias",), pairs=False, given=("batch_norm_forward",), ways={"bias-no-parameters": 2}
    ),
}
"""By the answer's name in the assignment."""
