"""Batch normalization as a layer: the functions, with parameters, running statistics and two modes, in PyTorch.

Drop-in for `torch.nn.BatchNorm1d`, `2d` and `3d`. The bookkeeping (parameters, buffers, `state_dict`, both modes'
switch) is inherited from PyTorch; every number is computed here.
"""

from typing import Any

import torch

from bncourse.conventions import EPS, MOMENTUM, check_eps, check_momentum, check_num_features
from bncourse.shapes import Inexact
from bncourse.torch_bn.as_pytorch import check_axes, check_statistics, laid_out
from bncourse.torch_bn.autograd import batch_norm
from bncourse.torch_bn.functional import batch_norm_inference
from bncourse.torch_bn.results import Array, Moments
from bncourse.torch_bn.running import update_running
from bncourse.torch_bn.tracing import one_node


class BatchNorm(torch.nn.modules.batchnorm._BatchNorm):
    """Batch normalization of inputs (N, C) or (N, C, ...): one class for 1, 2 and 3 dimensions.

    In training mode it normalizes with the batch's statistics and updates the running ones; after `eval()` it
    normalizes with the running statistics, and a sample's result does not depend on its neighbors.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    eps : float
        Added to the variance, inside the root.
    momentum : float or None
        Weight of the new value in the running statistics; None for the cumulative mean.
    affine : bool
        Learn scale and shift (`weight` is gamma, `bias` is beta); otherwise both are None, and act as 1 and 0.
    track_running_stats : bool
        Keep running statistics; otherwise they are None, and the batch's serve in both modes.
    device, dtype
        Of parameters and running statistics.
    bias : bool
        With `affine`, learn a shift too; otherwise it is None, and acts as 0.

    Raises
    ------
    ValueError
        If `num_features` is not positive, `eps` is negative, or `momentum` lies outside [0, 1].

    Examples
    --------
    >>> layer = BatchNorm(1, eps=0.0, momentum=0.5)
    >>> layer(torch.tensor([[1.0], [3.0]])).ravel().tolist()
    [-1.0, 1.0]
    >>> layer.running_mean.tolist(), layer.running_var.tolist()
    ([1.0], [1.5])
    """

    dimensions: tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = EPS,
        momentum: float | None = MOMENTUM,
        affine: bool = True,  # PyTorch's signature
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        check_num_features(num_features)
        check_eps(eps)
        check_momentum(momentum)
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype)
        if not bias:
            self.register_parameter("bias", None)

    def forward(self, input: Inexact[Array, "n c *spatial"]) -> Inexact[Array, "n c *spatial"]:
        """Normalize with the batch's statistics (training) or with the running ones (after `eval()`)."""
        x: Any = input
        if isinstance(x, torch.fx.Proxy):  # torch.fx takes PyTorch's own layers whole, and so it takes this one
            return one_node(self, x)
        self._check_input_dim(x)
        check_statistics(x, self.running_mean, self.running_var)
        gamma, beta = self._scale_and_shift(x)
        running_mean, running_var = self.running_mean, self.running_var
        if self.training or running_mean is None or running_var is None:
            y, moments = batch_norm(x, gamma, beta, self.eps)
            self._track(moments)
        elif x.numel() == 0:
            y = x * gamma.sum().to(x.dtype) + beta.sum().to(x.dtype)  # empty too, and a part of the graph
        else:
            y, _ = batch_norm_inference(x, gamma, beta, running_mean, running_var, eps=self.eps)
        return laid_out(y, x)

    def _scale_and_shift(self, x: Array) -> tuple[Array, Array]:
        """Weight and bias; 1 and 0 in the place of one that is None."""
        gamma, beta = self.weight, self.bias
        gamma = x.new_ones(self.num_features) if gamma is None else gamma
        beta = x.new_zeros(self.num_features) if beta is None else beta
        return gamma, beta

    def _track(self, moments: Moments) -> None:
        """Update the running statistics with those of a batch."""
        running_mean, running_var, batches = self.running_mean, self.running_var, self.num_batches_tracked
        if not self.track_running_stats or running_mean is None or running_var is None:
            return
        weight: float | Array | None = self.momentum
        if batches is not None:
            batches.add_(1)
            weight = 1.0 / batches.to(running_mean.dtype) if weight is None else weight
        if weight is not None:  # without a count there is no cumulative mean, and PyTorch changes nothing
            update_running(running_mean, running_var, moments, weight)

    def _check_input_dim(self, input: torch.Tensor) -> None:
        """Refuse an input whose number of axes is not this class's."""
        check_axes(input, self.dimensions, type(self).__name__)


class BatchNorm1d(BatchNorm, torch.nn.BatchNorm1d):
    """`BatchNorm` of inputs (N, C) or (N, C, L)."""

    dimensions = (2, 3)


class BatchNorm2d(BatchNorm, torch.nn.BatchNorm2d):
    """`BatchNorm` of inputs (N, C, H, W)."""

    dimensions = (4,)


class BatchNorm3d(BatchNorm, torch.nn.BatchNorm3d):
    """`BatchNorm` of inputs (N, C, D, H, W)."""

    dimensions = (5,)
