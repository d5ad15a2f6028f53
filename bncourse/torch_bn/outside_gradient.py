r"""Normalizing outside the gradient: why the bias grows and the loss stays (section 2 of the paper), in PyTorch.

A layer adds a bias and its result is centered over the batch: :math:`x = u + b`, :math:`\hat x = x - \bar x`. A
gradient step that takes the mean for a constant wants to move b; the next centering takes the move back. The
result has not changed, neither has the loss, so the next step wants the same again: b grows without bound.

This is the mistake, kept apart so that it can be looked at. The right gradient stands beside the wrong one.
"""

from typing import NamedTuple

import torch

from bncourse.conventions import check_input, check_like
from bncourse.shapes import Inexact


class Trajectory(NamedTuple):
    """What happened in the course of a training: `bias` of shape (steps + 1, C), `loss` of shape (steps + 1,)."""

    bias: torch.Tensor
    loss: torch.Tensor


def add_bias_and_center(
    u: Inexact[torch.Tensor, "n c"], b: Inexact[torch.Tensor, " c"]
) -> Inexact[torch.Tensor, "n c"]:
    """Add the bias, then subtract the batch's mean: x_hat = (u + b) - mean(u + b), which does not depend on b.

    >>> add_bias_and_center(torch.tensor([[1.0], [3.0]]), torch.tensor([100.0])).ravel().tolist()
    [-1.0, 1.0]
    """
    x = u + b
    x_hat: torch.Tensor = x - x.mean(dim=0)
    return x_hat


def bias_gradient_outside(dx_hat: Inexact[torch.Tensor, "n c"]) -> Inexact[torch.Tensor, " c"]:
    """Wrong on purpose: db with the mean taken for a constant.

    >>> bias_gradient_outside(torch.tensor([[1.0], [4.0]])).tolist()
    [5.0]

    Equation :eq:`eq-outside`, chapter "Whitening, and why not".
    """
    db: torch.Tensor = dx_hat.sum(dim=0)
    return db


def bias_gradient_inside(dx_hat: Inexact[torch.Tensor, "n c"]) -> Inexact[torch.Tensor, " c"]:
    """Gradient db with the path through the mean, which takes away exactly what the direct path brings: zero.

    >>> bias_gradient_inside(torch.tensor([[1.0], [4.0]])).tolist()
    [0.0]
    """
    dx = dx_hat - dx_hat.mean(dim=0)
    db: torch.Tensor = dx.sum(dim=0)
    return db


def train_bias(
    u: Inexact[torch.Tensor, "n c"],
    target: Inexact[torch.Tensor, "n c"],
    *,
    steps: int,
    lr: float,
    inside: bool,
) -> Trajectory:
    r"""Gradient descent on the bias alone, for the loss :math:`\frac{1}{2m} \sum (\hat x - t)^2`.

    Outside the gradient, every step moves the bias by lr times the target's mean, and nothing else happens.

    Parameters
    ----------
    u, target : tensors of shape (N, C)
        The layer's input, the same at every step, and what its centered output should be.
    steps : int
        Number of gradient steps.
    lr : float
        Learning rate.
    inside : bool
        Whether the gradient knows of the mean's dependence on the bias.

    Returns
    -------
    Trajectory

    Raises
    ------
    ValueError
        If u does not have the shape (N, C), holds no values, or target has another shape.

    Examples
    --------
    >>> u, target = torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0], [3.0]])
    >>> wrong = train_bias(u, target, steps=3, lr=0.5, inside=False)
    >>> wrong.bias.ravel().tolist(), wrong.loss.tolist()
    ([0.0, 1.0, 2.0, 3.0], [2.0, 2.0, 2.0, 2.0])
    >>> train_bias(u, target, steps=3, lr=0.5, inside=True).bias.ravel().tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    check_input(u.shape, training=False)
    check_like("target", target.shape, "u", u.shape)
    b = torch.zeros_like(u[0])
    biases, losses = [b], []
    for step in range(steps + 1):
        x_hat = add_bias_and_center(u, b)
        losses.append(0.5 * ((x_hat - target) ** 2).sum() / u.shape[0])
        if step < steps:
            dx_hat = (x_hat - target) / u.shape[0]
            db = bias_gradient_inside(dx_hat) if inside else bias_gradient_outside(dx_hat)
            b = b - lr * db
            biases.append(b)
    return Trajectory(torch.stack(biases), torch.stack(losses))
