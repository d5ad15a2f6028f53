"""Batch norm over the joined batch of several processes, from scratch on `torch.distributed`.

Each process sees a part of the batch. Forward: every process sends its mean, variance and count, and merges those of
all (Chan's formula, `merge_moments`), so parts of unequal size, and empty ones, count for what they hold. Backward: the
two sums over the batch that the closed form needs are added up over all processes, in one all-reduce.
"""

import copy
from typing import Any

import torch
import torch.distributed as dist
from torch.autograd.function import once_differentiable

from bncourse.conventions import EPS, MOMENTUM, channel_shape, check_like, check_per_channel, reduction_axes
from bncourse.shapes import Inexact
from bncourse.torch_bn.layer import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from bncourse.torch_bn.moments import batch_moments, merge_moments
from bncourse.torch_bn.results import Moments
from bncourse.validation.arguments import check_floating
from bncourse.validation.extensions import check_joined_input

Group = Any  # a torch.distributed.ProcessGroup or None; some builds of PyTorch have no such class
SETTINGS = ("num_features", "eps", "momentum", "affine", "track_running_stats")
LAZY = (torch.nn.LazyBatchNorm1d, torch.nn.LazyBatchNorm2d, torch.nn.LazyBatchNorm3d)
PLAIN = (
    BatchNorm,
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    torch.nn.BatchNorm1d,
    torch.nn.BatchNorm2d,
    torch.nn.BatchNorm3d,
)


def joined_moments(x: Inexact[torch.Tensor, "n c *spatial"], group: Group = None) -> Moments:
    """Mean, biased variance and count of the batch that all processes of the group hold together.

    One all-gather of 2 C + 1 numbers, in float64: a count is exact there, and merging loses nothing.

    Parameters
    ----------
    x : tensor of shape (N, C, ...)
        This process's part, which may be empty: N = 0.
    group : ProcessGroup, optional
        By default all processes.

    Returns
    -------
    Moments
        The same in every process, in float64.

    Raises
    ------
    ValueError
        If x has fewer than two axes or no channels, or the parts together hold one value per channel.
    RuntimeError
        If another process has ended or stays away beyond the group's timeout.
    """
    check_joined_input(x.shape, None)
    channels = x.shape[1]
    mean, var, count = batch_moments(x) if x.numel() else Moments(x.new_zeros(channels), x.new_zeros(channels), 0)
    mine = torch.cat([mean.double(), var.double(), mean.new_tensor([count], dtype=torch.float64)])
    everyone = [torch.empty_like(mine) for _ in range(dist.get_world_size(group))]
    with _Together("gathering the moments", group):
        dist.all_gather(everyone, mine, group=group)
    parts = [(part[:channels], part[channels:-1], int(part[-1].item())) for part in everyone]
    check_joined_input(x.shape, sum(count for *_, count in parts))
    return merge_moments(*parts)


class SyncBatchNormFunction(torch.autograd.Function):
    """Normalize with given moments of the joined batch; differentiate as if they came from it, which they do.

    Equation :eq:`eq-joined-dx`, chapter "What is the batch?".
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, moments: Moments, eps: float, group: Group
    ) -> torch.Tensor:
        """Algorithm 1 with the joined batch's mean and variance."""
        as_channels = channel_shape(x.shape)
        wide = torch.promote_types(x.dtype, gamma.dtype)
        inv_std = (1.0 / torch.sqrt(moments.var + eps)).to(wide)
        centered = x.to(wide) - moments.mean.to(wide).reshape(as_channels)
        x_hat = centered * inv_std.reshape(as_channels)
        y = gamma.reshape(as_channels) * x_hat + beta.reshape(as_channels)
        ctx.save_for_backward(x_hat, inv_std, gamma)
        ctx.count, ctx.group = moments.count, group
        return y.to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Closed form, with both sums taken over all processes; dgamma and dbeta are this process's share."""
        x_hat, inv_std, gamma = ctx.saved_tensors
        check_like("dy", dy.shape, "the forward pass's output", x_hat.shape)
        axes = reduction_axes(dy.ndim)
        as_channels = channel_shape(dy.shape)
        dbeta = dy.to(x_hat.dtype).sum(dim=axes)
        dgamma = (dy * x_hat).sum(dim=axes)
        sums = torch.stack([dbeta, dgamma])
        with _Together("adding up the gradient's sums", ctx.group):
            dist.all_reduce(sums, group=ctx.group)
        joined_dbeta, joined_dgamma = sums
        through_mean = (joined_dbeta / ctx.count).reshape(as_channels)
        through_var = x_hat * (joined_dgamma / ctx.count).reshape(as_channels)
        dx = (gamma * inv_std).reshape(as_channels) * (dy - through_mean - through_var)
        return dx.to(dy.dtype), dgamma, dbeta, None, None, None


class SyncBatchNorm(BatchNorm):
    """`BatchNorm` whose batch, in training, is that of all processes together.

    Output, dx and running statistics are those of one process with the joined batch. The gradients of `weight` and
    `bias` are each process's share: their sum over processes is that of the joined batch (DistributedDataParallel
    averages them, as it does all others). Every process must call the layer equally often, forward and backward.
    Without an initialized process group, or in evaluation mode, it is `BatchNorm`.

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        As in `BatchNorm`.
    process_group : ProcessGroup, optional
        Processes whose parts make up the batch; by default all. Its timeout bounds how long a process waits for
        one that does not come. As in PyTorch it comes before `device`.

    Examples
    --------
    >>> layer = SyncBatchNorm(1, eps=0.0)
    >>> layer(torch.tensor([[1.0], [3.0]])).ravel().tolist()
    [-1.0, 1.0]
    """

    def __init__(
        self,
        num_features: int,
        eps: float = EPS,
        momentum: float | None = MOMENTUM,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Group = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    @classmethod
    def convert_sync_batchnorm(cls, module: torch.nn.Module, process_group: Group = None) -> torch.nn.Module:
        """Do what `synchronized` does, under PyTorch's name; the model that is given stays as it is."""
        return synchronized(module, process_group)

    def forward(self, input: Inexact[torch.Tensor, "n c *spatial"]) -> Inexact[torch.Tensor, "n c *spatial"]:
        """Normalize with the joined batch's statistics (training) or with the running ones (after `eval()`)."""
        in_company = dist.is_available() and dist.is_initialized() and dist.get_world_size(self.process_group) > 1
        if not (in_company and self.training):  # in evaluation a process may be alone, whatever statistics there are
            return super().forward(input)
        gamma, beta = self._scale_and_shift(input)
        check_floating("x", input)
        self._check_input_dim(input)
        check_per_channel("gamma", gamma.shape, input.shape)
        with torch.no_grad():
            moments = joined_moments(input, self.process_group)
        self._track(moments)
        y: torch.Tensor = SyncBatchNormFunction.apply(  # type: ignore[no-untyped-call]
            input, gamma, beta, moments, self.eps, self.process_group
        )
        return y

    def _check_input_dim(self, input: torch.Tensor) -> None:
        """Refuse an input without an axis of channels, or with none on it."""
        check_joined_input(input.shape, None)


def synchronized(model: torch.nn.Module, process_group: Group = None) -> torch.nn.Module:
    """Return a copy of a model with its batch norm layers, PyTorch's or this package's, exchanged for `SyncBatchNorm`.

    Parameters, statistics, settings, modes and a `qconfig` are taken over. Relatives such as `GhostBatchNorm` stay.

    Raises
    ------
    ValueError
        If a layer is lazy and has not seen a batch: it does not know its channels yet, and would later become a layer
        that is not synchronized.

    Examples
    --------
    >>> [type(layer).__name__ for layer in synchronized(torch.nn.Sequential(torch.nn.BatchNorm2d(3)))]
    ['SyncBatchNorm']
    """
    if type(model) in PLAIN:
        (layer,) = synchronized(torch.nn.Sequential(model), process_group).children()
        return layer
    for name, layer in model.named_modules():
        if isinstance(layer, LAZY):
            raise ValueError(
                f"the layer {name!r} is a {type(layer).__name__} that has not seen a batch. Expected one that knows "
                "its channels. Call the model once, in one process or in all, before you synchronize it."
            )
    copied = copy.deepcopy(model)
    for parent in list(copied.modules()):
        for name, old in parent.named_children():
            if type(old) in PLAIN:
                settings = {setting: getattr(old, setting) for setting in SETTINGS}
                new = SyncBatchNorm(**settings, process_group=process_group).train(old.training)
                if hasattr(old, "qconfig"):
                    new.qconfig = old.qconfig
                for entry in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                    setattr(new, entry, getattr(old, entry))
                setattr(parent, name, new)
    return copied


class _Together:
    """Says, when a collective fails, what was being done and what the usual cause is."""

    def __init__(self, action: str, group: Group) -> None:
        self.action, self.group = action, group

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, RuntimeError):
            raise RuntimeError(
                f"SyncBatchNorm failed in {self.action} of {dist.get_world_size(self.group)} processes. Another "
                "process has ended, or did not call the layer within the group's timeout: look at the first error "
                f"among all processes. torch.distributed says: {error}"
            ) from error
