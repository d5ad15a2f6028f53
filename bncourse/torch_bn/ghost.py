"""Ghost batch normalization: the statistics of small parts of a large batch, by hand in PyTorch.

A large batch has quieter statistics than a small one, and with the noise goes some of batch norm's regularizing
effect. Ghost batch norm splits the batch and normalizes every part by itself; the gradient step still sees all.
"""

from typing import NamedTuple

import torch

from bncourse.conventions import EPS, check_input, check_like
from bncourse.shapes import Inexact
from bncourse.torch_bn.functional import Cache, Gradients, batch_norm_backward, batch_norm_forward
from bncourse.validation.extensions import check_ghost_size


class GhostCache(NamedTuple):
    """What the backward pass needs: the cache of each ghost batch, in order."""

    parts: tuple[Cache, ...]
    ghost_size: int


def ghost_batches(x: Inexact[torch.Tensor, "n *rest"], ghost_size: int) -> list[Inexact[torch.Tensor, "m *rest"]]:
    """Neighboring samples in parts of `ghost_size`; the last part may be smaller.

    >>> [part.tolist() for part in ghost_batches(torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]]), 3)]
    [[[1.0], [2.0], [3.0]], [[4.0], [5.0]]]
    """
    return [x[start : start + ghost_size] for start in range(0, x.shape[0], ghost_size)]


def ghost_batch_norm_forward(
    x: Inexact[torch.Tensor, "n c *spatial"],
    gamma: Inexact[torch.Tensor, " c"],
    beta: Inexact[torch.Tensor, " c"],
    *,
    ghost_size: int,
    eps: float = EPS,
) -> tuple[Inexact[torch.Tensor, "n c *spatial"], GhostCache]:
    """Batch norm of every ghost batch by itself, with one scale and shift.

    Parameters
    ----------
    x : tensor of shape (N, C, ...)
    gamma, beta : tensors of shape (C,)
    ghost_size : int
        Samples in a ghost batch. N or more is batch norm.
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    y : tensor of shape (N, C, ...)
    cache : GhostCache
        For `ghost_batch_norm_backward`.

    Raises
    ------
    ValueError
        If a ghost batch would hold one value per channel, or as `batch_norm_forward` does.

    Examples
    --------
    Two pairs, each of which can only become (-1, 1):

    >>> one, zero = torch.ones(1), torch.zeros(1)
    >>> x = torch.tensor([[1.0], [3.0], [10.0], [30.0]])
    >>> ghost_batch_norm_forward(x, one, zero, ghost_size=2, eps=0.0)[0].ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    check_input(x.shape, training=False)
    check_ghost_size(ghost_size, x.shape)
    parts = [batch_norm_forward(part, gamma, beta, eps=eps) for part in ghost_batches(x, ghost_size)]
    y = torch.cat([y for y, _ in parts])
    return y, GhostCache(tuple(cache for _, cache in parts), ghost_size)


def ghost_batch_norm_backward(dy: Inexact[torch.Tensor, "n c *spatial"], cache: GhostCache) -> Gradients:
    """Backward pass: each ghost batch's own dx; the parameters are shared, so their gradients are sums.

    Parameters
    ----------
    dy : tensor of shape (N, C, ...)
    cache : GhostCache
        From `ghost_batch_norm_forward`.

    Returns
    -------
    Gradients
        dx of shape (N, C, ...), dgamma and dbeta of shape (C,).

    Raises
    ------
    ValueError
        If dy does not have the shape of the forward pass's output.
    """
    caches, ghost_size = cache
    samples = sum(part.x_hat.shape[0] for part in caches)
    check_like("dy", dy.shape, "the forward pass's output", (samples, *caches[0].x_hat.shape[1:]))
    parts = [batch_norm_backward(*pair) for pair in zip(ghost_batches(dy, ghost_size), caches, strict=True)]
    dx = torch.cat([part.dx for part in parts])
    dgamma = torch.stack([part.dgamma for part in parts]).sum(dim=0)
    dbeta = torch.stack([part.dbeta for part in parts]).sum(dim=0)
    return Gradients(dx, dgamma, dbeta)
