"""The transform with given statistics, and its gradient, by hand in NumPy (Algorithm 2 of the paper)."""

import numpy as np

from bncourse.conventions import EPS, channel_shape, reduction_axes, values_per_channel
from bncourse.numpy_bn.moments import narrowed, sum_over, widened
from bncourse.numpy_bn.results import Array, Cache, Gradients
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_arguments, check_gradient


@np.errstate(all="ignore")
def batch_norm_inference(
    x: Inexact[Array, "n c *spatial"],
    gamma: Inexact[Array, " c"],
    beta: Inexact[Array, " c"],
    running_mean: Inexact[Array, " c"],
    running_var: Inexact[Array, " c"],
    *,
    eps: float = EPS,
) -> tuple[Inexact[Array, "n c *spatial"], Cache]:
    r"""Normalize with given statistics: Algorithm 2 of the paper, lines 8 to 12.

    The statistics are constants, so a sample's result does not depend on the rest of its batch.

    Parameters
    ----------
    x : array of shape (N, C, ...)
        Any number of samples, also one.
    gamma, beta, running_mean, running_var : arrays of shape (C,)
        Learned parameters and stored statistics; `running_var` is a variance, not a standard deviation.
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    y : array of shape (N, C, ...)
    cache : Cache
        For `batch_norm_inference_backward`.

    Raises
    ------
    ValueError
        If a shape does not fit, the batch is empty, or eps is negative.

    Examples
    --------
    >>> one = np.ones(1)
    >>> y, cache = batch_norm_inference(np.array([[7.0]]), 2 * one, 5 * one, 3 * one, 4 * one, eps=0.0)
    >>> y.tolist()
    [[9.0]]
    """
    check_arguments(
        x, training=False, eps=eps, gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var
    )
    as_channels, count = channel_shape(x.shape), values_per_channel(x.shape)
    inv_std = 1.0 / np.sqrt(running_var + eps)
    x_hat = (widened(x) - running_mean.reshape(as_channels)) * inv_std.reshape(as_channels)
    y = gamma.reshape(as_channels) * x_hat + beta.reshape(as_channels)
    return narrowed(y, x), Cache(x_hat, inv_std, gamma, running_mean, running_var, count)


@np.errstate(all="ignore")
def batch_norm_inference_backward(dy: Inexact[Array, "n c *spatial"], cache: Cache) -> Gradients:
    r"""Backward pass of inference: the statistics are constants, so only the direct path is left.

    Equation :eq:`eq-inference-gradient`, chapter "Modes and folding".

    Parameters
    ----------
    dy : array of shape (N, C, ...)
        Gradient of the loss with respect to y.
    cache : Cache
        From `batch_norm_inference`.

    Returns
    -------
    Gradients
        dx = gamma * inv_std * dy; dgamma and dbeta as in training.

    Raises
    ------
    ValueError
        If dy does not have the shape of the forward pass's output.

    Examples
    --------
    >>> one = np.ones(1)
    >>> y, cache = batch_norm_inference(np.array([[7.0]]), 2 * one, 5 * one, 3 * one, 4 * one, eps=0.0)
    >>> batch_norm_inference_backward(np.array([[1.5]]), cache).dx.tolist()
    [[1.5]]
    """
    x_hat, inv_std, gamma, *_ = cache
    check_gradient(dy, x_hat)
    axes, as_channels = reduction_axes(dy.ndim), channel_shape(dy.shape)
    dbeta = sum_over(axes, dy)
    dgamma = sum_over(axes, dy * x_hat)
    dx = dy * (gamma * inv_std).reshape(as_channels)
    return Gradients(narrowed(dx, dy), narrowed(dgamma, gamma), narrowed(dbeta, gamma))
