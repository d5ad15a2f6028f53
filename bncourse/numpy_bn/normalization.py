"""Batch, layer, instance and group normalization as choices of axes of one function, by hand in NumPy.

The four differ in one thing: which values share a mean and a variance. For x of shape (N, C, H, W):

    kind        statistics over                       depends on neighbors
    batch       N, H, W       (axes 0, 2, 3)          yes
    layer       C, H, W       (axes 1, 2, 3)          no
    instance    H, W          (axes 2, 3)             no
    group       C/G, H, W     of (N, G, C/G, H, W)    no

Scale and shift stay one number per channel in all four, as in the paper on group normalization, so that the
kinds can be exchanged without touching the parameters.
"""

from typing import Literal, NamedTuple

import numpy as np

from bncourse.conventions import EPS, channel_shape, reduction_axes
from bncourse.numpy_bn.moments import center_over, mean_over, narrowed, sum_over, widened
from bncourse.numpy_bn.results import Array, Gradients
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_arguments, check_gradient
from bncourse.validation.extensions import check_kind

Kind = Literal["batch", "layer", "instance", "group"]


class StandardizeCache(NamedTuple):
    """What `standardize_backward` needs."""

    x_hat: Array
    inv_std: Array
    axes: tuple[int, ...]


class NormalizationCache(NamedTuple):
    """What `normalize_backward` needs: x_hat has the shape of x; `standardize` that of the grouped view."""

    x_hat: Array
    gamma: Array
    standardize: StandardizeCache


def normalization_axes(kind: Kind, ndim: int) -> tuple[int, ...]:
    """Axes that share a mean and a variance; for "group", axes of the view (N, G, C/G, ...).

    >>> normalization_axes("batch", 4), normalization_axes("layer", 4), normalization_axes("instance", 4)
    ((0, 2, 3), (1, 2, 3), (2, 3))
    >>> normalization_axes("group", 4)
    (2, 3, 4)
    """
    spatial = tuple(range(2, ndim))
    return {"batch": (0, *spatial), "layer": (1, *spatial), "instance": spatial, "group": (*spatial, ndim)}[kind]


@np.errstate(all="ignore")
def standardize_forward(
    x: Inexact[Array, "*shape"], axes: tuple[int, ...], *, eps: float = EPS
) -> tuple[Inexact[Array, "*shape"], StandardizeCache]:
    """Subtract the mean over `axes` and divide by the root of the (biased) variance over `axes`.

    >>> x_hat, cache = standardize_forward(np.array([[1.0, 3.0], [5.0, 9.0]]), (1,), eps=0.0)
    >>> x_hat.tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """
    _, centered = center_over(axes, x)
    var = mean_over(axes, centered * centered, keepdims=True)
    inv_std = 1.0 / np.sqrt(var + eps)
    x_hat = centered * inv_std
    return x_hat, StandardizeCache(x_hat, inv_std, axes)


@np.errstate(all="ignore")
def standardize_backward(dx_hat: Inexact[Array, "*shape"], cache: StandardizeCache) -> Inexact[Array, "*shape"]:
    """Gradient with respect to x: the closed form of batch norm, with the means over these axes.

    >>> x_hat, cache = standardize_forward(np.array([[1.0, 3.0]]), (1,), eps=0.0)
    >>> standardize_backward(np.array([[1.0, 4.0]]), cache).tolist()
    [[0.0, 0.0]]

    Equation :eq:`eq-any-axes`, chapter "Layer, group and instance norm".
    """
    x_hat, inv_std, axes = cache
    through_mean = mean_over(axes, dx_hat, keepdims=True)
    through_var = x_hat * mean_over(axes, dx_hat * x_hat, keepdims=True)
    dx: Array = inv_std * (dx_hat - through_mean - through_var)
    return dx


@np.errstate(all="ignore")
def normalize_forward(
    x: Inexact[Array, "n c *spatial"],
    gamma: Inexact[Array, " c"],
    beta: Inexact[Array, " c"],
    *,
    kind: Kind = "batch",
    groups: int | None = None,
    eps: float = EPS,
) -> tuple[Inexact[Array, "n c *spatial"], NormalizationCache]:
    """Normalize over the axes that `kind` names, then scale and shift each channel.

    Parameters
    ----------
    x : array of shape (N, C, ...)
    gamma, beta : arrays of shape (C,)
        Scale and shift, one number per channel in every kind.
    kind : {"batch", "layer", "instance", "group"}
        Which values share a mean and a variance; see the table at the top of this file.
    groups : int, optional
        Number of groups of neighboring channels, for "group" only; it divides C.
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    y : array of shape (N, C, ...)
    cache : NormalizationCache
        For `normalize_backward`.

    Raises
    ------
    ValueError
        If the kind is unknown, groups do not divide C, a shape does not fit, or one value has a mean of its own.

    Examples
    --------
    >>> x, gamma, beta = np.array([[1.0, 3.0]]), np.array([1.0, 1.0]), np.array([0.0, 5.0])
    >>> y, cache = normalize_forward(x, gamma, beta, kind="layer", eps=0.0)
    >>> y.tolist()
    [[-1.0, 6.0]]
    """
    check_arguments(x, training=False, eps=eps, gamma=gamma, beta=beta)
    check_kind(kind, groups, x.shape)
    samples, channels, *spatial = x.shape
    # "group" is instance normalization of (N, G, C/G, ...): a group is one channel with a longer map
    wide = widened(x)
    grouped = wide if groups is None else wide.reshape(samples, groups, channels // groups, *spatial)
    x_hat, standardize = standardize_forward(grouped, normalization_axes(kind, x.ndim), eps=eps)
    x_hat = x_hat.reshape(x.shape)
    as_channels = channel_shape(x.shape)
    y = gamma.reshape(as_channels) * x_hat + beta.reshape(as_channels)
    return narrowed(y, x), NormalizationCache(x_hat, gamma, standardize)


@np.errstate(all="ignore")
def normalize_backward(dy: Inexact[Array, "n c *spatial"], cache: NormalizationCache) -> Gradients:
    """Backward pass of `normalize_forward`, for every kind.

    The parameters are per channel whatever the kind, so their gradients are sums over all other axes; only dx
    follows the axes of the statistics.

    Parameters
    ----------
    dy : array of shape (N, C, ...)
    cache : NormalizationCache
        From `normalize_forward`.

    Returns
    -------
    Gradients
        dx of shape (N, C, ...), dgamma and dbeta of shape (C,).

    Raises
    ------
    ValueError
        If dy does not have the shape of the forward pass's output.
    """
    x_hat, gamma, standardize = cache
    check_gradient(dy, x_hat)
    axes = reduction_axes(dy.ndim)
    dbeta = sum_over(axes, dy)
    dgamma = sum_over(axes, dy * x_hat)
    dx_hat = widened(dy) * gamma.reshape(channel_shape(dy.shape))
    dx = standardize_backward(dx_hat.reshape(standardize.x_hat.shape), standardize).reshape(dy.shape)
    return Gradients(narrowed(dx, dy), narrowed(dgamma, gamma), narrowed(dbeta, gamma))
