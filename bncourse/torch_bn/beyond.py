"""The relatives of batch norm as PyTorch modules, to put in the place of one another.

Each takes `num_features` first, like `BatchNorm`, and computes with the functions of its own file. The derivatives
come from autograd; the tests compare them with the hand-written ones.
"""

import torch

from bncourse.conventions import EPS, MOMENTUM, check_eps, check_num_features
from bncourse.shapes import Inexact
from bncourse.torch_bn.ghost import ghost_batch_norm_forward
from bncourse.torch_bn.layer import BatchNorm
from bncourse.torch_bn.normalization import Kind, normalize_forward
from bncourse.torch_bn.renorm import batch_renorm_forward
from bncourse.validation.extensions import check_ghost_size, check_kind, check_renorm_limits


class GhostBatchNorm(BatchNorm):
    """Batch norm that, in training, normalizes every `ghost_size` samples by themselves.

    Each ghost batch counts as one batch in the running statistics. Evaluation is that of `BatchNorm`.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    ghost_size : int
        Samples in a ghost batch.
    eps, momentum : float
        As in `BatchNorm`.

    Examples
    --------
    >>> GhostBatchNorm(1, 2, eps=0.0)(torch.tensor([[1.0], [3.0], [10.0], [30.0]])).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """

    def __init__(self, num_features: int, ghost_size: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(num_features, eps, momentum)
        check_ghost_size(ghost_size, (2 * ghost_size, num_features, 2))
        self.ghost_size = ghost_size

    def forward(self, input: Inexact[torch.Tensor, "n c *spatial"]) -> Inexact[torch.Tensor, "n c *spatial"]:
        """Normalize each ghost batch (training), or with the running statistics (after `eval()`)."""
        if not self.training:
            return super().forward(input)
        y, cache = ghost_batch_norm_forward(input, self.weight, self.bias, ghost_size=self.ghost_size, eps=self.eps)
        for part in cache.parts:
            self._track(part.moments)
        return y


class BatchRenorm(BatchNorm):
    """Batch norm whose training output is corrected towards the running statistics.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    r_max, d_max : float
        Limits of the correction. They are attributes, to be raised in the course of training; 1 and 0, the
        defaults, are batch norm, which is where the paper begins.
    eps, momentum : float
        As in `BatchNorm`. The running variance is the unbiased one, as everywhere in this package.

    Examples
    --------
    Running statistics start at mean 0 and variance 1, so free limits give x back at the first step:

    >>> layer = BatchRenorm(1, r_max=100.0, d_max=100.0, eps=0.0)
    >>> layer(torch.tensor([[4.0], [6.0]])).ravel().tolist()
    [4.0, 6.0]
    """

    def __init__(
        self,
        num_features: int,
        r_max: float = 1.0,
        d_max: float = 0.0,
        eps: float = EPS,
        momentum: float | None = MOMENTUM,
    ) -> None:
        super().__init__(num_features, eps, momentum)
        check_renorm_limits(r_max, d_max)
        self.r_max = r_max
        self.d_max = d_max

    def forward(self, input: Inexact[torch.Tensor, "n c *spatial"]) -> Inexact[torch.Tensor, "n c *spatial"]:
        """Normalize and correct (training), or use the running statistics (after `eval()`)."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(input)
        settings = {"r_max": self.r_max, "d_max": self.d_max, "eps": self.eps}
        # copies: the buffers change below, before the backward pass may have read them
        running_mean, running_var = self.running_mean.clone(), self.running_var.clone()
        y, cache = batch_renorm_forward(input, self.weight, self.bias, running_mean, running_var, **settings)
        self._track(cache.moments)
        return y


class Normalization(torch.nn.Module):
    """Layer, instance or group normalization with one scale and shift per channel; the same in both modes.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    kind : {"layer", "instance", "group", "batch"}
        Which values share a mean and a variance. "batch" always uses the batch's own; it keeps no statistics.
    groups : int, optional
        Number of groups, for "group" only; it divides C.
    eps : float
        Added to the variance, inside the root.

    Examples
    --------
    >>> Normalization(2, "layer", eps=0.0)(torch.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(self, num_features: int, kind: Kind, groups: int | None = None, eps: float = EPS) -> None:
        super().__init__()
        check_num_features(num_features)
        check_eps(eps)
        check_kind(kind, groups, (2, num_features, 2))
        self.kind: Kind = kind
        self.groups = groups
        self.eps = eps
        self.weight = torch.nn.Parameter(torch.ones(num_features))
        self.bias = torch.nn.Parameter(torch.zeros(num_features))

    def forward(self, x: Inexact[torch.Tensor, "n c *spatial"]) -> Inexact[torch.Tensor, "n c *spatial"]:
        """Normalize over the axes that `kind` names."""
        y, _ = normalize_forward(x, self.weight, self.bias, kind=self.kind, groups=self.groups, eps=self.eps)
        return y

    def extra_repr(self) -> str:
        """Text between the parentheses of `repr`."""
        groups = "" if self.groups is None else f", groups={self.groups}"
        return f"{self.weight.numel()}, kind={self.kind!r}{groups}, eps={self.eps}"
