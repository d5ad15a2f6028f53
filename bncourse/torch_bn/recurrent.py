"""Batch norm in a recurrent net: one step of an LSTM, forward and backward, by hand in PyTorch.

Three things are normalized: what comes from the input, what comes from the last hidden state, and the cell on its way
out. Never the cell's own path through time. The distribution of a hidden state changes from step to step (it starts
as a constant), so every time step keeps running statistics of its own; scale and shift are shared by all steps.
"""

from typing import NamedTuple

import torch

from bncourse.conventions import EPS, MOMENTUM, check_like
from bncourse.shapes import Inexact
from bncourse.torch_bn.functional import Cache, batch_norm_backward, batch_norm_forward, batch_norm_inference
from bncourse.torch_bn.results import Moments
from bncourse.torch_bn.running import RunningStatistics
from bncourse.validation.extensions import check_cell, check_max_steps

State = tuple[torch.Tensor, torch.Tensor]


class CellParameters(NamedTuple):
    """Of a cell with I inputs and H hidden features; gates in the order i, f, g, o. Also holds their gradients.

    `bias` is the shift after both normalized sums; a shift of each would say the same thing twice. The gammas start at
    0.1: at 1 a gradient changes its size with every step back in time.
    """

    weight_x: torch.Tensor
    weight_h: torch.Tensor
    bias: torch.Tensor
    gamma_x: torch.Tensor
    gamma_h: torch.Tensor
    gamma_c: torch.Tensor
    beta_c: torch.Tensor


class CellMoments(NamedTuple):
    """Mean, variance and count of the three normalized vectors at one step."""

    x: Moments
    h: Moments
    c: Moments


class CellCache(NamedTuple):
    """What the backward pass of a step needs, and the batch's moments, which update the running statistics."""

    inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    parameters: CellParameters
    gates: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
    tanh_c: torch.Tensor
    norms: tuple[Cache, Cache, Cache]
    moments: CellMoments


class CellGradients(NamedTuple):
    """Derivatives of the loss for what went into a step."""

    dx: torch.Tensor
    dh: torch.Tensor
    dc: torch.Tensor
    parameters: CellParameters


class PerStepStatistics:
    """Running statistics for each time step; steps beyond the last share the last one's.

    >>> statistics = PerStepStatistics(1, max_steps=2, momentum=1.0)
    >>> statistics.at(5).update(torch.tensor([3.0]), torch.tensor([1.0]), count=4)
    >>> [float(statistics.at(step).mean[0]) for step in range(4)]
    [0.0, 3.0, 3.0, 3.0]
    """

    def __init__(self, num_features: int, max_steps: int, *, momentum: float | None = MOMENTUM) -> None:
        check_max_steps(max_steps)
        self.steps = [RunningStatistics(num_features, momentum=momentum) for _ in range(max_steps)]

    def at(self, step: int) -> RunningStatistics:
        """Statistics of the time step `step`, counted from 0."""
        check_max_steps(len(self.steps), step)
        return self.steps[min(step, len(self.steps) - 1)]


def lstm_step_forward(
    x: Inexact[torch.Tensor, "n i"],
    h: Inexact[torch.Tensor, "n h"],
    c: Inexact[torch.Tensor, "n h"],
    parameters: CellParameters,
    *,
    eps: float = EPS,
) -> tuple[State, CellCache]:
    r"""One step in training: every normalization uses the batch's own statistics at this step.

    .. math:: i, f, g, o = BN(W_x x) + BN(W_h h) + b, \qquad c' = \sigma(f)\, c + \sigma(i) \tanh g, \qquad
              h' = \sigma(o) \tanh BN(c')

    Equation :eq:`eq-bn-lstm`, chapter "Recurrent nets".

    Parameters
    ----------
    x : tensor of shape (N, I)
    h, c : tensors of shape (N, H)
        Hidden state and cell after the last step; zeros before the first.
    parameters : CellParameters
    eps : float
        Added to every variance, inside the root.

    Returns
    -------
    (h, c) : tensors of shape (N, H)
    cache : CellCache
        For `lstm_step_backward`; its `moments` are for `PerStepStatistics`.

    Raises
    ------
    ValueError
        If a shape does not fit, or the batch holds one sample.
    """
    check_cell(x.shape, h.shape, c.shape, {name: value.shape for name, value in parameters._asdict().items()})
    weight_x, weight_h, bias, gamma_x, gamma_h, gamma_c, beta_c = parameters
    sum_x, sum_h = x @ weight_x.T, h @ weight_h.T
    from_x, norm_x = batch_norm_forward(sum_x, gamma_x, bias, eps=eps)
    from_h, norm_h = batch_norm_forward(sum_h, gamma_h, torch.zeros_like(bias), eps=eps)
    gates = _gates(from_x + from_h)
    i, f, g, o = gates
    c_next = f * c + i * g
    normalized, norm_c = batch_norm_forward(c_next, gamma_c, beta_c, eps=eps)
    tanh_c = torch.tanh(normalized)
    h_next = o * tanh_c
    moments = CellMoments(norm_x.moments, norm_h.moments, norm_c.moments)
    return (h_next, c_next), CellCache((x, h, c), parameters, gates, tanh_c, (norm_x, norm_h, norm_c), moments)


def lstm_step_backward(
    dh: Inexact[torch.Tensor, "n h"], dc: Inexact[torch.Tensor, "n h"], cache: CellCache
) -> CellGradients:
    """Backward pass of `lstm_step_forward`.

    Parameters
    ----------
    dh, dc : tensors of shape (N, H)
        Gradients for the step's results: dh from the loss and the next step, dc from the next step alone.
    cache : CellCache

    Returns
    -------
    CellGradients
        dh and dc go on to the step before; `parameters` are to be summed over the steps.

    Raises
    ------
    ValueError
        If dh or dc does not have the shape of the step's result.
    """
    (x, h, c), parameters, (i, f, g, o), tanh_c, (norm_x, norm_h, norm_c), _ = cache
    check_like("dh", dh.shape, "the forward pass's h", h.shape)
    check_like("dc", dc.shape, "the forward pass's c", c.shape)
    # h' = o * tanh(BN(c')); the cell is reached through h' and from the next step
    through_h, dgamma_c, dbeta_c = batch_norm_backward(dh * o * (1.0 - tanh_c**2), norm_c)
    dc_next = dc + through_h
    # c' = f * c + i * g, and through the gates' nonlinearities
    di, df, dg, do = dc_next * g, dc_next * c, dc_next * i, dh * tanh_c
    dgates = torch.cat([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)], dim=1)
    # one sum of two normalized vectors: both get the same gradient
    dsum_x, dgamma_x, dbias = batch_norm_backward(dgates, norm_x)
    dsum_h, dgamma_h, _ = batch_norm_backward(dgates, norm_h)
    dparameters = CellParameters(dsum_x.T @ x, dsum_h.T @ h, dbias, dgamma_x, dgamma_h, dgamma_c, dbeta_c)
    return CellGradients(dsum_x @ parameters.weight_x, dsum_h @ parameters.weight_h, dc_next * f, dparameters)


def lstm_step_inference(
    x: Inexact[torch.Tensor, "n i"],
    h: Inexact[torch.Tensor, "n h"],
    c: Inexact[torch.Tensor, "n h"],
    parameters: CellParameters,
    statistics: tuple[RunningStatistics, RunningStatistics, RunningStatistics],
    *,
    eps: float = EPS,
) -> State:
    """One step in inference, with this step's running statistics of the sums from x and from h, and of the cell."""
    check_cell(x.shape, h.shape, c.shape, {name: value.shape for name, value in parameters._asdict().items()})
    weight_x, weight_h, bias, gamma_x, gamma_h, gamma_c, beta_c = parameters
    of_x, of_h, of_c = statistics
    from_x, _ = batch_norm_inference(x @ weight_x.T, gamma_x, bias, of_x.mean, of_x.var, eps=eps)
    from_h, _ = batch_norm_inference(h @ weight_h.T, gamma_h, torch.zeros_like(bias), of_h.mean, of_h.var, eps=eps)
    i, f, g, o = _gates(from_x + from_h)
    c_next = f * c + i * g
    normalized, _ = batch_norm_inference(c_next, gamma_c, beta_c, of_c.mean, of_c.var, eps=eps)
    return o * torch.tanh(normalized), c_next


def _gates(sums: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Split (N, 4H) into i, f, g, o and apply their nonlinearities; sigmoid is a tanh, which cannot overflow."""
    i, f, g, o = torch.chunk(sums, 4, dim=1)
    return _sigmoid(i), _sigmoid(f), torch.tanh(g), _sigmoid(o)


def _sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * (1.0 + torch.tanh(0.5 * x))
