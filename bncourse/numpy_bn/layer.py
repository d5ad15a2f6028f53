"""Batch normalization as a layer: the functions, with parameters, running statistics and two modes, in NumPy.

Attributes carry PyTorch's names, so that a `state_dict` travels between this layer and `torch.nn.BatchNorm1d`,
`2d` and `3d` in both directions.
"""

from typing import Any

import numpy as np

from bncourse.conventions import EPS, MOMENTUM, check_eps, check_momentum, check_num_features
from bncourse.numpy_bn.functional import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
)
from bncourse.numpy_bn.network import Layer
from bncourse.numpy_bn.results import Array, Moments
from bncourse.numpy_bn.running import update_running
from bncourse.shapes import Inexact


class BatchNorm(Layer):
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
    dtype : dtype
        Of parameters and running statistics.
    bias : bool
        With `affine`, learn a shift too; otherwise it is None, and acts as 0.

    Raises
    ------
    ValueError
        If `num_features` is not positive, `eps` is negative, or `momentum` lies outside [0, 1].

    Examples
    --------
    >>> layer = BatchNorm(1, momentum=0.5, dtype=np.float64)
    >>> layer(np.array([[1.0], [3.0]])).round(4).ravel().tolist()
    [-1.0, 1.0]
    >>> layer.running_mean.tolist(), layer.running_var.tolist()
    ([1.0], [1.5])
    """

    parameter_names = ("weight", "bias")
    buffer_names = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(
        self,
        num_features: int,
        eps: float = EPS,
        momentum: float | None = MOMENTUM,
        *,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = np.float32,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_num_features(num_features)
        check_eps(eps)
        check_momentum(momentum)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.dtype = dtype
        self.weight = np.ones(num_features, dtype) if affine else None
        self.bias = np.zeros(num_features, dtype) if affine and bias else None
        self.running_mean = np.zeros(num_features, dtype) if track_running_stats else None
        self.running_var = np.ones(num_features, dtype) if track_running_stats else None
        self.num_batches_tracked = np.zeros((), np.int64) if track_running_stats else None

    def forward(self, x: Inexact[Array, "n c *spatial"]) -> Inexact[Array, "n c *spatial"]:
        """Normalize with the batch's statistics (training) or with the running ones (after `eval()`)."""
        gamma = np.ones(self.num_features, self.dtype) if self.weight is None else self.weight
        beta = np.zeros(self.num_features, self.dtype) if self.bias is None else self.bias
        if self.training or self.running_mean is None or self.running_var is None:
            y, self._cache = batch_norm_forward(x, gamma, beta, eps=self.eps)
            self._backward = batch_norm_backward
            self._track(self._cache.moments)
        else:
            y, self._cache = batch_norm_inference(x, gamma, beta, self.running_mean, self.running_var, eps=self.eps)
            self._backward = batch_norm_inference_backward
        return y

    def backward(self, dy: Inexact[Array, "n c *spatial"]) -> Inexact[Array, "n c *spatial"]:
        """Gradient for the input of the last `forward`; those of weight and bias go to `gradients`."""
        dx, dgamma, dbeta = self._backward(dy, self._cache)
        found = {"weight": dgamma, "bias": dbeta}
        self.gradients = {name: value for name, value in found.items() if getattr(self, name) is not None}
        return dx

    def _track(self, moments: Moments) -> None:
        """Update the running statistics with those of a batch."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        weight = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        update_running(self.running_mean, self.running_var, moments, weight)
