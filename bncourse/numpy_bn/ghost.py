"""Ghost batch normalization: the statistics of small parts of a large batch, by hand in NumPy.

A large batch has quieter statistics than a small one, and with the noise goes some of batch norm's regularizing
effect. Ghost batch norm splits the batch and normalizes every part by itself; the gradient step still sees all.
"""

from typing import Any, NamedTuple

import numpy as np

from bncourse.conventions import EPS, check_input, check_like
from bncourse.numpy_bn.functional import Cache, Gradients, batch_norm_backward, batch_norm_forward
from bncourse.shapes import Inexact
from bncourse.validation.extensions import check_ghost_size

Array = np.ndarray[Any, np.dtype[Any]]


class GhostCache(NamedTuple):
    """What the backward pass needs: the cache of each ghost batch, in order."""

    parts: tuple[Cache, ...]
    ghost_size: int


def ghost_batches(x: Inexact[np.ndarray, "n *rest"], ghost_size: int) -> list[Inexact[np.ndarray, "m *rest"]]:
    """Neighboring samples in parts of `ghost_size`; the last part may be smaller.

    >>> [part.tolist() for part in ghost_batches(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]), 3)]
    [[[1.0], [2.0], [3.0]], [[4.0], [5.0]]]
    """
    return [x[start : start + ghost_size] for start in range(0, x.shape[0], ghost_size)]


def ghost_batch_norm_forward(
    x: Inexact[np.ndarray, "n c *spatial"],
    gamma: Inexact[np.ndarray, " c"],
    beta: Inexact[np.ndarray, " c"],
    *,
    ghost_size: int,
    eps: float = EPS,
) -> tuple[Inexact[np.ndarray, "n c *spatial"], GhostCache]:
    """Batch norm of every ghost batch by itself, with one scale and shift.

    Parameters
    ----------
    x : array of shape (N, C, ...)
    gamma, beta : arrays of shape (C,)
    ghost_size : int
        Samples in a ghost batch. N or more is batch norm.
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    y : array of shape (N, C, ...)
    cache : GhostCache
        For `ghost_batch_norm_backward`.

    Raises
    ------
    ValueError
        If a ghost batch would hold one value per channel, or as `batch_norm_forward` does.

    Examples
    --------
    Two pairs, each of which can only become (-1, 1):

    >>> one, zero = np.ones(1), np.zeros(1)
    >>> x = np.array([[1.0], [3.0], [10.0], [30.0]])
    >>> ghost_batch_norm_forward(x, one, zero, ghost_size=2, eps=0.0)[0].ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    check_input(x.shape, training=False)
    check_ghost_size(ghost_size, x.shape)
    parts = [batch_norm_forward(part, gamma, beta, eps=eps) for part in ghost_batches(x, ghost_size)]
    y = np.concatenate([y for y, _ in parts])
    return y, GhostCache(tuple(cache for _, cache in parts), ghost_size)


def ghost_batch_norm_backward(dy: Inexact[np.ndarray, "n c *spatial"], cache: GhostCache) -> Gradients:
    """Backward pass: each ghost batch's own dx; the parameters are shared, so their gradients are sums.

    Parameters
    ----------
    dy : array of shape (N, C, ...)
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
    dx = np.concatenate([part.dx for part in parts])
    dgamma = np.stack([part.dgamma for part in parts]).sum(axis=0)
    dbeta = np.stack([part.dbeta for part in parts]).sum(axis=0)
    return Gradients(dx, dgamma, dbeta)
