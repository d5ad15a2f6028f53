"""What gradient descent does to weights whose size the normalization takes out again (section 3.3 of the paper).

One linear unit, normalized over the batch, is fitted to targets. Its output does not depend on the size of its
weights, so the gradient is at right angles to them, and every step without weight decay makes them longer.
"""

from typing import Any, NamedTuple

import numpy as np

from bncourse.conventions import EPS
from bncourse.numpy_bn import batch_norm_backward, batch_norm_forward

Array = np.ndarray[Any, Any]


class Problem(NamedTuple):
    """Inputs u of shape (N, D) and targets (N, 1)."""

    u: Array
    target: Array


class Trajectory(NamedTuple):
    """What was seen at every step: the size of the weights, that of their gradient, the loss, and the weights."""

    norm: Array
    gradient_norm: Array
    loss: Array
    weights: Array


def make_problem(*, samples: int = 64, features: int = 8, noise: float = 0.3, seed: int = 0) -> Problem:
    """Draw inputs, and targets that are a normalized linear function of them, with noise."""
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((samples, features))
    target = u @ rng.standard_normal((features, 1))
    target = (target - target.mean()) / target.std() + noise * rng.standard_normal((samples, 1))
    return Problem(u, target)


def loss_and_gradient(weights: Array, problem: Problem, *, eps: float = EPS) -> tuple[float, Array]:
    """Mean squared error of the normalized output, and its gradient with respect to the weights (D, 1)."""
    u, target = problem
    y, cache = batch_norm_forward(u @ weights, np.ones(1), np.zeros(1), eps=eps)
    loss = 0.5 * float(((y - target) ** 2).mean())
    dx = batch_norm_backward((y - target) / len(u), cache).dx
    return loss, u.T @ dx


def descend(
    weights: Array, problem: Problem, *, rate: float, steps: int, decay: float = 0.0, batch: int = 0, seed: int = 0
) -> Trajectory:
    """Run gradient descent, with weight decay if `decay` is positive, on random batches if `batch` is.

    Parameters
    ----------
    weights : array of shape (D, 1)
    problem : Problem
    rate, decay : float
        Each step subtracts rate * (gradient + decay * weights).
    steps : int
    batch : int
        Size of the batches; 0 for all samples at every step.
    seed : int
        Of the batches.

    Returns
    -------
    Trajectory
        With steps + 1 entries.
    """
    rng = np.random.default_rng(seed)
    seen: list[tuple[float, float, float, Array]] = []
    for _ in range(steps + 1):
        chosen = rng.choice(len(problem.u), batch, replace=False) if batch else slice(None)
        loss, gradient = loss_and_gradient(weights, Problem(problem.u[chosen], problem.target[chosen]), eps=0.0)
        seen.append((float(np.linalg.norm(weights)), float(np.linalg.norm(gradient)), loss, weights[:, 0]))
        weights = weights - rate * (gradient + decay * weights)
    norm, gradient_norm, losses, path = (np.array(column) for column in zip(*seen, strict=True))
    return Trajectory(norm, gradient_norm, losses, path)
