"""An LSTM cell with batch norm as a PyTorch module, its statistics kept for each time step."""

import torch

from bncourse.conventions import (
    EPS,
    MOMENTUM,
    check_eps,
    check_input,
    check_momentum,
    check_num_features,
)
from bncourse.shapes import Inexact
from bncourse.torch_bn.autograd import batch_norm
from bncourse.torch_bn.functional import batch_norm_inference
from bncourse.torch_bn.running import update_running
from bncourse.validation.extensions import check_max_steps

GAMMA = 0.1
"""Where gamma starts in a recurrent net: at 1 a gradient changes its size with every step back in time."""


class PerStepBatchNorm(torch.nn.Module):
    """Batch norm with one scale and shift, and running statistics for each time step.

    Parameters
    ----------
    num_features : int
        The number of features C.
    max_steps : int
        Time steps with statistics of their own; later ones share the last one's.
    shift : bool
        Learn a shift (`bias`), or leave it to a bias added later.
    eps : float
        Added to the variance, inside the root.
    momentum : float or None
        Weight of the new value in the running statistics; None for the cumulative mean.

    Examples
    --------
    >>> layer = PerStepBatchNorm(1, 2, momentum=1.0)
    >>> x = torch.tensor([[1.0], [3.0]])
    >>> _ = layer(x, 0), layer(10 * x, 1)
    >>> layer.running_mean.tolist()
    [[2.0], [20.0]]
    """

    def __init__(
        self,
        num_features: int,
        max_steps: int,
        *,
        shift: bool = True,
        eps: float = EPS,
        momentum: float | None = MOMENTUM,
    ) -> None:
        super().__init__()
        check_num_features(num_features)
        check_max_steps(max_steps)
        check_eps(eps)
        check_momentum(momentum)
        self.max_steps, self.eps, self.momentum = max_steps, eps, momentum
        self.weight = torch.nn.Parameter(torch.full((num_features,), GAMMA))
        self.bias = torch.nn.Parameter(torch.zeros(num_features)) if shift else None
        self.running_mean: torch.Tensor
        self.running_var: torch.Tensor
        self.num_batches_tracked: torch.Tensor
        self.register_buffer("running_mean", torch.zeros(max_steps, num_features))
        self.register_buffer("running_var", torch.ones(max_steps, num_features))
        self.register_buffer("num_batches_tracked", torch.zeros(max_steps, dtype=torch.long))

    def forward(self, x: Inexact[torch.Tensor, "n c *spatial"], step: int) -> Inexact[torch.Tensor, "n c *spatial"]:
        """Normalize x of time step `step`, counted from 0."""
        check_input(x.shape, training=self.training)
        check_max_steps(self.max_steps, step)
        row = min(step, self.max_steps - 1)
        beta = torch.zeros_like(self.weight) if self.bias is None else self.bias
        if not self.training:
            mean, var = self.running_mean[row], self.running_var[row]
            return batch_norm_inference(x, self.weight, beta, mean, var, eps=self.eps)[0]
        y, moments = batch_norm(x, self.weight, beta, self.eps)
        with torch.no_grad():
            self.num_batches_tracked[row] += 1
            weight = 1.0 / self.num_batches_tracked[row] if self.momentum is None else self.momentum
            update_running(self.running_mean[row], self.running_var[row], moments, weight)
        return y


class BatchNormLSTMCell(torch.nn.Module):
    """One step of `lstm_step_forward` with parameters, running statistics for each time step, and two modes.

    Parameters
    ----------
    input_size, hidden_size : int
        Features of x, and of h and c.
    max_steps : int
        Time steps with statistics of their own: the length of the longest training sequence.
    eps, momentum : float
        As in `PerStepBatchNorm`.

    Examples
    --------
    >>> cell = BatchNormLSTMCell(3, 2, max_steps=5)
    >>> state = cell.start(4)
    >>> for step, x in enumerate(torch.randn(5, 4, 3)):
    ...     state = cell(x, state, step)
    >>> h, c = state
    >>> h.shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        max_steps: int,
        *,
        eps: float = EPS,
        momentum: float | None = MOMENTUM,
    ) -> None:
        super().__init__()
        check_num_features(hidden_size)
        self.weight_x = torch.nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_h = torch.nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias = torch.nn.Parameter(torch.zeros(4 * hidden_size))
        self.norm_x = PerStepBatchNorm(4 * hidden_size, max_steps, shift=False, eps=eps, momentum=momentum)
        self.norm_h = PerStepBatchNorm(4 * hidden_size, max_steps, shift=False, eps=eps, momentum=momentum)
        self.norm_c = PerStepBatchNorm(hidden_size, max_steps, eps=eps, momentum=momentum)
        for weight in (self.weight_x, self.weight_h):
            torch.nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)

    def start(self, samples: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the state before the first step: zeros."""
        zeros = self.weight_h.new_zeros(samples, self.weight_h.shape[1])
        return zeros, zeros

    def forward(
        self, x: Inexact[torch.Tensor, "n i"], state: tuple[torch.Tensor, torch.Tensor], step: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take the step number `step`, counted from 0, from `state` (h, c) to the next."""
        h, c = state
        from_x = self.norm_x(x @ self.weight_x.T, step)
        from_h = self.norm_h(h @ self.weight_h.T, step)
        i, f, g, o = (from_x + from_h + self.bias).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * self.norm_c(c, step).tanh()
        return h, c
