"""Batch renormalization by hand in NumPy: training sees what inference will see.

Batch norm trains with the batch's statistics and infers with running ones; where the batches are small or
their samples alike, the two differ. Batch renormalization corrects each batch's result towards the running
statistics by r and d, and treats the two as constants in the gradient, so that the batch's own mean and
variance still take part in it.
"""

from typing import NamedTuple

import numpy as np

from bncourse.conventions import EPS, channel_shape, reduction_axes, values_per_channel
from bncourse.numpy_bn.moments import center, mean_over, narrowed, sum_over
from bncourse.numpy_bn.results import Array, Gradients, Moments
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_arguments, check_gradient
from bncourse.validation.extensions import check_renorm_limits


class Corrections(NamedTuple):
    """What turns a value normalized by its batch into one normalized by the running statistics: r times it, plus d."""

    r: Array
    d: Array


class RenormCache(NamedTuple):
    """The batch's own normalized values, those after the correction, r, and the batch's moments."""

    normalized: Array
    x_hat: Array
    inv_std: Array
    r: Array
    gamma: Array
    moments: Moments


def renorm_corrections(
    mean: Inexact[Array, " c"],
    var: Inexact[Array, " c"],
    running_mean: Inexact[Array, " c"],
    running_var: Inexact[Array, " c"],
    *,
    r_max: float = 3.0,
    d_max: float = 5.0,
    eps: float = EPS,
) -> Corrections:
    r"""Compute :math:`r = \sigma_B / \sigma` and :math:`d = (\mu_B - \mu) / \sigma`, kept within limits.

    :math:`\sigma` is a standard deviation with eps inside the root; r stays in [1 / r_max, r_max] and d in
    [-d_max, d_max]. With r_max = 1 and d_max = 0 nothing is corrected: batch norm, with which training begins.

    >>> one = np.array([1.0])
    >>> renorm_corrections(5 * one, 4 * one, 2 * one, one, eps=0.0)
    Corrections(r=array([2.]), d=array([3.]))
    >>> renorm_corrections(5 * one, 4 * one, 2 * one, one, r_max=1.0, d_max=2.0, eps=0.0)
    Corrections(r=array([1.]), d=array([2.]))

    Equation :eq:`eq-renorm-identity`, chapter "Layer, group and instance norm".
    """
    running_std = np.sqrt(running_var + eps)
    r = (np.sqrt(var + eps) / running_std).clip(1.0 / r_max, r_max)
    d = ((mean - running_mean) / running_std).clip(-d_max, d_max)
    return Corrections(r, d)


@np.errstate(all="ignore")
def batch_renorm_forward(
    x: Inexact[Array, "n c *spatial"],
    gamma: Inexact[Array, " c"],
    beta: Inexact[Array, " c"],
    running_mean: Inexact[Array, " c"],
    running_var: Inexact[Array, " c"],
    *,
    r_max: float = 3.0,
    d_max: float = 5.0,
    eps: float = EPS,
) -> tuple[Inexact[Array, "n c *spatial"], RenormCache]:
    r"""Normalize with the batch's statistics, correct by r and d, then scale and shift.

    .. math:: \hat x = \frac{x - \mu_B}{\sigma_B}\, r + d, \qquad y = \gamma \hat x + \beta

    Where the limits do not bind, y is exactly what inference would give; the gradient is still another one.

    Parameters
    ----------
    x : array of shape (N, C, ...)
    gamma, beta : arrays of shape (C,)
    running_mean, running_var : arrays of shape (C,)
        As they were before this batch; constants. Take the batch into them afterwards.
    r_max, d_max : float
        Limits of the correction. The paper lets them grow from 1 and 0 to 3 and 5 in the course of training.
    eps : float
        Added to both variances, inside the roots.

    Returns
    -------
    y : array of shape (N, C, ...)
    cache : RenormCache
        For `batch_renorm_backward`.

    Raises
    ------
    ValueError
        If a shape does not fit, the batch holds one value per channel, a limit excludes r = 1 or d = 0, or eps
        is negative.

    Examples
    --------
    The batch (4, 6) has mean 5 and deviation 1. Running statistics of mean 2 and variance 1 are what counts:

    >>> one, zero = np.ones(1), np.zeros(1)
    >>> y, cache = batch_renorm_forward(np.array([[4.0], [6.0]]), one, zero, 2 * one, one, eps=0.0)
    >>> y.ravel().tolist()
    [2.0, 4.0]
    """
    check_arguments(
        x, training=True, eps=eps, gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var
    )
    check_renorm_limits(r_max, d_max)
    axes, as_channels = reduction_axes(x.ndim), channel_shape(x.shape)
    mean, centered = center(x)
    var = mean_over(axes, centered * centered)
    inv_std = 1.0 / np.sqrt(var + eps)
    normalized = centered * inv_std.reshape(as_channels)
    r, d = renorm_corrections(mean, var, running_mean, running_var, r_max=r_max, d_max=d_max, eps=eps)
    x_hat = normalized * r.reshape(as_channels) + d.reshape(as_channels)
    y = gamma.reshape(as_channels) * x_hat + beta.reshape(as_channels)
    moments = Moments(mean, var, values_per_channel(x.shape))
    return narrowed(y, x), RenormCache(normalized, x_hat, inv_std, r, gamma, moments)


@np.errstate(all="ignore")
def batch_renorm_backward(dy: Inexact[Array, "n c *spatial"], cache: RenormCache) -> Gradients:
    """Backward pass: batch norm's dx times the constant r; gamma meets the corrected x_hat.

    Equations :eq:`eq-renorm-dx` and :eq:`eq-renorm-dgamma`, chapter "Layer, group and instance norm".

    Parameters
    ----------
    dy : array of shape (N, C, ...)
    cache : RenormCache
        From `batch_renorm_forward`.

    Returns
    -------
    Gradients
        dx of shape (N, C, ...), dgamma and dbeta of shape (C,).

    Raises
    ------
    ValueError
        If dy does not have the shape of the forward pass's output.
    """
    normalized, x_hat, inv_std, r, gamma, (_, _, count) = cache
    check_gradient(dy, x_hat)
    axes, as_channels = reduction_axes(dy.ndim), channel_shape(dy.shape)
    dbeta = sum_over(axes, dy)
    dgamma = sum_over(axes, dy * x_hat)
    through_mean = (dbeta / count).reshape(as_channels)
    through_var = normalized * (sum_over(axes, dy * normalized) / count).reshape(as_channels)
    dx = (gamma * r * inv_std).reshape(as_channels) * (dy - through_mean - through_var)
    return Gradients(narrowed(dx, dy), narrowed(dgamma, gamma), narrowed(dbeta, gamma))
