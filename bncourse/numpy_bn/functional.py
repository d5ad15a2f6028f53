"""The batch-normalizing transform and its gradients, by hand in NumPy (Algorithm 1 of the paper).

Channels lie on axis 1 and statistics are taken over every other axis, so that (N, C), (N, C, L) and
(N, C, H, W) are one code path. Each rule stands beside its derivative; the pair with given statistics is
in `inference`.
"""

import numpy as np

from bncourse.conventions import EPS, channel_shape, reduction_axes, values_per_channel
from bncourse.numpy_bn.inference import batch_norm_inference, batch_norm_inference_backward
from bncourse.numpy_bn.moments import center, mean_over, narrowed, sum_over, widened
from bncourse.numpy_bn.results import Array, Cache, Gradients, Stages
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_arguments, check_gradient

__all__ = [
    "Cache",
    "Gradients",
    "Stages",
    "batch_norm_backward",
    "batch_norm_backward_staged",
    "batch_norm_forward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
]


@np.errstate(all="ignore")
def batch_norm_forward(
    x: Inexact[Array, "n c *spatial"],
    gamma: Inexact[Array, " c"],
    beta: Inexact[Array, " c"],
    *,
    eps: float = EPS,
) -> tuple[Inexact[Array, "n c *spatial"], Cache]:
    r"""Normalize each channel over the batch, then scale and shift.

    Algorithm 1 of the paper: :math:`y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta` with the
    batch's own mean and its biased variance (divided by m, the number of values per channel).

    Equations :eq:`eq-mean`, :eq:`eq-var`, :eq:`eq-xhat` and :eq:`eq-y`, chapter "The graph and the staged pass".

    Parameters
    ----------
    x : array of shape (N, C, ...)
        A mini-batch. Complex input is allowed, so that derivatives can be taken by complex step.
    gamma, beta : arrays of shape (C,)
        Scale and shift, learned parameters.
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    y : array of shape (N, C, ...)
    cache : Cache
        For `batch_norm_backward`.

    Raises
    ------
    ValueError
        If a shape does not fit, the batch is empty or holds one value per channel, or eps is negative.

    Examples
    --------
    The batch (1, 3) has mean 2 and variance 1; with eps = 0 it becomes (-1, 1), then (-2 + 5, 2 + 5).

    >>> y, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), eps=0.0)
    >>> y.ravel().tolist()
    [3.0, 7.0]
    """
    check_arguments(x, training=True, eps=eps, gamma=gamma, beta=beta)
    axes, as_channels = reduction_axes(x.ndim), channel_shape(x.shape)
    mean, centered = center(x)
    var = mean_over(axes, centered * centered)
    inv_std = 1.0 / np.sqrt(var + eps)
    x_hat = centered * inv_std.reshape(as_channels)
    y = gamma.reshape(as_channels) * x_hat + beta.reshape(as_channels)
    return narrowed(y, x), Cache(x_hat, inv_std, gamma, mean, var, values_per_channel(x.shape))


@np.errstate(all="ignore")
def batch_norm_backward(dy: Inexact[Array, "n c *spatial"], cache: Cache) -> Gradients:
    r"""Backward pass in closed form.

    .. math:: dx = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}}
              \left(dy - \overline{dy} - \hat x\, \overline{dy\, \hat x}\right)

    where the bars are means over the batch: the direct path, minus the path through the mean, minus the path
    through the variance.

    Equation :eq:`eq-closed`, chapter "The closed form and the projection".

    Parameters
    ----------
    dy : array of shape (N, C, ...)
        Gradient of the loss with respect to y.
    cache : Cache
        From `batch_norm_forward`.

    Returns
    -------
    Gradients
        dx of shape (N, C, ...), dgamma and dbeta of shape (C,).

    Raises
    ------
    ValueError
        If dy does not have the shape of the forward pass's output.

    Examples
    --------
    A batch of two can only become (-1, 1): its normalized values do not depend on x, and dx is 0.

    >>> y, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), eps=0.0)
    >>> dx, dgamma, dbeta = batch_norm_backward(np.array([[1.0], [4.0]]), cache)
    >>> dx.ravel().tolist(), dgamma.tolist(), dbeta.tolist()
    ([0.0, 0.0], [3.0], [5.0])
    """
    x_hat, inv_std, gamma, _, _, count = cache
    check_gradient(dy, x_hat)
    axes, as_channels = reduction_axes(dy.ndim), channel_shape(dy.shape)
    dbeta = sum_over(axes, dy)
    dgamma = sum_over(axes, dy * x_hat)
    through_mean = (dbeta / count).reshape(as_channels)
    through_var = x_hat * (dgamma / count).reshape(as_channels)
    dx = (gamma * inv_std).reshape(as_channels) * (dy - through_mean - through_var)
    return Gradients(narrowed(dx, dy), narrowed(dgamma, gamma), narrowed(dbeta, gamma))


@np.errstate(all="ignore")
def batch_norm_backward_staged(dy: Inexact[Array, "n c *spatial"], cache: Cache) -> tuple[Gradients, Stages]:
    r"""Backward pass through the computational graph, node by node, as the paper lists it (section 3).

    The graph treats the mean and the variance as nodes of their own, so the mean's gradient has two parts:
    `dmean_direct`, through :math:`x - \mu` in the numerator, and `dmean_through_var`, through
    :math:`\sigma^2(x, \mu)`. The second is zero up to rounding, because the deviations from a mean sum to
    zero; it is kept here because the chain rule writes it.

    Equations :eq:`eq-dxhat`, :eq:`eq-dgamma-dbeta`, :eq:`eq-dvar`, :eq:`eq-dmean` and :eq:`eq-dx`, chapter "The graph
    and the staged pass".

    Parameters
    ----------
    dy : array of shape (N, C, ...)
        Gradient of the loss with respect to y.
    cache : Cache
        From `batch_norm_forward`.

    Returns
    -------
    gradients : Gradients
        The same values as `batch_norm_backward`, up to rounding.
    stages : Stages
        Each intermediate gradient under its name.

    Raises
    ------
    ValueError
        If dy does not have the shape of the forward pass's output.

    Examples
    --------
    >>> y, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), eps=0.0)
    >>> gradients, stages = batch_norm_backward_staged(np.array([[1.0], [4.0]]), cache)
    >>> stages.dvar.tolist(), stages.dmean_direct.tolist(), stages.dmean_through_var.tolist()
    ([-3.0], [-10.0], [0.0])
    """
    x_hat, inv_std, gamma, _, _, count = cache
    check_gradient(dy, x_hat)
    axes, as_channels = reduction_axes(dy.ndim), channel_shape(dy.shape)
    centered = x_hat / inv_std.reshape(as_channels)
    # y = gamma * x_hat + beta
    dbeta = sum_over(axes, dy)
    dgamma = sum_over(axes, dy * x_hat)
    dx_hat = widened(dy) * gamma.reshape(as_channels)
    # x_hat = (x - mean) * (var + eps)^(-1/2)
    dvar = sum_over(axes, dx_hat * centered) * -0.5 * inv_std**3
    dmean_direct = -inv_std * sum_over(axes, dx_hat)
    # var = mean((x - mean)^2): its derivative with respect to mean is -2 times the mean deviation
    dmean_through_var = dvar * (-2.0 / count) * sum_over(axes, centered)
    dmean = dmean_direct + dmean_through_var
    # x reaches the loss by three paths
    dx_direct = dx_hat * inv_std.reshape(as_channels)
    dx_through_var = (2.0 / count) * centered * dvar.reshape(as_channels)
    dx_through_mean = np.broadcast_to((dmean / count).reshape(as_channels), dy.shape)
    dx = dx_direct + dx_through_var + dx_through_mean
    stages = Stages(dx_hat, dvar, dmean_direct, dmean_through_var, dmean, dx_direct, dx_through_var, dx_through_mean)
    return Gradients(narrowed(dx, dy), narrowed(dgamma, gamma), narrowed(dbeta, gamma)), stages
