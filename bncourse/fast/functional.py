"""The transform and its gradients in compiled loops, with the signatures and the cache of `numpy_bn`."""

from typing import Any

import numpy as np

from bncourse.conventions import EPS, values_per_channel
from bncourse.fast import loops, tables
from bncourse.fast.threads import over_parts
from bncourse.numpy_bn.results import Array, Cache, Gradients
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_arguments, check_gradient, dtype_name


def batch_norm_forward(
    x: Inexact[Array, "n c *spatial"],
    gamma: Inexact[Array, " c"],
    beta: Inexact[Array, " c"],
    *,
    eps: float = EPS,
) -> tuple[Inexact[Array, "n c *spatial"], Cache]:
    """Normalize each channel over the batch, then scale and shift; see `bncourse.numpy_bn.batch_norm_forward`.

    Parameters
    ----------
    x : float32 or float64 array of shape (N, C, ...)
        With any strides; an array that is not contiguous is copied first.
    gamma, beta : arrays of shape (C,)
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    y : array of shape (N, C, ...)
    cache : Cache
        For `batch_norm_backward`, of this package or of `numpy_bn`.

    Raises
    ------
    TypeError
        If the arrays are neither all float32 nor all float64.
    ValueError
        As `numpy_bn.batch_norm_forward`.

    Examples
    --------
    >>> y, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), eps=0.0)
    >>> y.ravel().tolist(), cache.mean.tolist(), cache.var.tolist()
    ([3.0, 7.0], [2.0], [1.0])
    """
    check_arguments(x, training=True, eps=eps, gamma=gamma, beta=beta)
    x_, gamma_, beta_ = _plain(x=x, gamma=gamma, beta=beta)
    y, x_hat = np.empty(x_.shape, x_.dtype), np.empty(x_.shape, x_.dtype)
    inv_std, mean, var = np.empty((3, x_.shape[1]), x_.dtype)
    arguments = (x_, gamma_, beta_, float(eps), y, x_hat, inv_std, mean, var)
    _run((loops.forward_maps, tables.forward_table, tables.forward_by_rows), x_, arguments)
    cache = Cache(x_hat.reshape(x.shape), inv_std, gamma, mean, var, values_per_channel(x.shape))
    return y.reshape(x.shape), cache


def batch_norm_backward(dy: Inexact[Array, "n c *spatial"], cache: Cache) -> Gradients:
    """Backward pass in closed form; see `bncourse.numpy_bn.batch_norm_backward`.

    Parameters
    ----------
    dy : array of shape (N, C, ...)
    cache : Cache
        From `batch_norm_forward`, of this package or of `numpy_bn`.

    Returns
    -------
    Gradients

    Raises
    ------
    TypeError, ValueError
        If dy has not the shape and dtype of the forward pass's output.

    Examples
    --------
    >>> y, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), eps=0.0)
    >>> dx, dgamma, dbeta = batch_norm_backward(np.array([[1.0], [4.0]]), cache)
    >>> dx.ravel().tolist(), dgamma.tolist(), dbeta.tolist()
    ([0.0, 0.0], [3.0], [5.0])
    """
    return _backward(dy, cache, (loops.backward_maps, tables.backward_table, tables.backward_by_rows))


def batch_norm_inference(
    x: Inexact[Array, "n c *spatial"],
    gamma: Inexact[Array, " c"],
    beta: Inexact[Array, " c"],
    running_mean: Inexact[Array, " c"],
    running_var: Inexact[Array, " c"],
    *,
    eps: float = EPS,
) -> tuple[Inexact[Array, "n c *spatial"], Cache]:
    """Normalize with given statistics; see `bncourse.numpy_bn.batch_norm_inference`.

    Parameters
    ----------
    x : float32 or float64 array of shape (N, C, ...)
    gamma, beta, running_mean, running_var : arrays of shape (C,)
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    y : array of shape (N, C, ...)
    cache : Cache
        For `batch_norm_inference_backward`.

    Raises
    ------
    TypeError
        If the arrays are neither all float32 nor all float64.
    ValueError
        As `numpy_bn.batch_norm_inference`.

    Examples
    --------
    >>> one = np.ones(1)
    >>> y, cache = batch_norm_inference(np.array([[7.0]]), 2 * one, 5 * one, 3 * one, 4 * one, eps=0.0)
    >>> y.tolist()
    [[9.0]]
    """
    statistics = {"running_mean": running_mean, "running_var": running_var}
    check_arguments(x, training=False, eps=eps, gamma=gamma, beta=beta, **statistics)
    x_, gamma_, beta_, mean, var = _plain(x=x, gamma=gamma, beta=beta, **statistics)
    with np.errstate(all="ignore"):
        inv_std = 1.0 / np.sqrt(var + var.dtype.type(eps))
    y, x_hat = np.empty(x_.shape, x_.dtype), np.empty(x_.shape, x_.dtype)
    arguments = (x_, gamma_, beta_, mean, inv_std, y, x_hat)
    _run((loops.inference_maps, tables.inference_table, tables.inference_by_rows), x_, arguments)
    cache = Cache(x_hat.reshape(x.shape), inv_std, gamma, running_mean, running_var, values_per_channel(x.shape))
    return y.reshape(x.shape), cache


def batch_norm_inference_backward(dy: Inexact[Array, "n c *spatial"], cache: Cache) -> Gradients:
    """Backward pass of inference; see `bncourse.numpy_bn.batch_norm_inference_backward`.

    Parameters
    ----------
    dy : array of shape (N, C, ...)
    cache : Cache
        From `batch_norm_inference`, of this package or of `numpy_bn`.

    Returns
    -------
    Gradients

    Raises
    ------
    TypeError, ValueError
        If dy has not the shape and dtype of the forward pass's output.

    Examples
    --------
    >>> one = np.ones(1)
    >>> y, cache = batch_norm_inference(np.array([[7.0]]), 2 * one, 5 * one, 3 * one, 4 * one, eps=0.0)
    >>> batch_norm_inference_backward(np.array([[1.5]]), cache).dx.tolist()
    [[1.5]]
    """
    ways = (loops.inference_backward_maps, tables.inference_backward_table, tables.inference_backward_by_rows)
    return _backward(dy, cache, ways)


def _backward(dy: Array, cache: Cache, ways: tuple[Any, Any, Any]) -> Gradients:
    """Run one of three loops on dy and the cache."""
    check_gradient(dy, cache.x_hat)
    dy_, x_hat, inv_std, gamma = _plain(dy=dy, x_hat=cache.x_hat, inv_std=cache.inv_std, gamma=cache.gamma)
    dx = np.empty(dy_.shape, dy_.dtype)
    dgamma, dbeta = np.empty((2, dy_.shape[1]), dy_.dtype)
    arguments = (dy_, x_hat, inv_std, gamma, dx, dgamma, dbeta)
    _run(ways, dy_, arguments)
    return Gradients(dx.reshape(dy.shape), dgamma, dbeta)


def _run(ways: tuple[Any, Any, Any], x: Array, arguments: tuple[Any, ...]) -> None:
    """Run the loop for maps, that for tables, or that for tables whose rows are shared among threads."""
    on_maps, on_table, by_rows = ways
    if x.ndim == 2 and tables.by_rows(x):
        by_rows(*arguments)
        return
    loop = on_table if x.ndim == 2 else on_maps
    over_parts(lambda first, last: loop(*arguments, first, last), x.shape[1], x.size)


def _plain(**arrays: Array) -> list[Array]:
    """Contiguous arrays of one dtype, (N, C) or (N, C, S), that the loops were compiled for."""
    _, first = next(iter(arrays.items()))
    for name, array in arrays.items():
        if array.dtype not in (np.float32, np.float64) or array.dtype != first.dtype:
            raise TypeError(
                f"{name} has dtype {dtype_name(array)}. Expected float32 or float64, the same for all arrays; "
                "bncourse.numpy_bn takes float16 and complex numbers too."
            )
    return [np.ascontiguousarray(_shaped(np.asarray(array))) for array in arrays.values()]


def _shaped(array: Array) -> Array:
    """Join the axes after the channels' into one; maps of one value are a matrix."""
    if array.ndim < 3:
        return array
    samples, channels = array.shape[:2]
    return (
        array.reshape(samples, channels) if array.size == samples * channels else array.reshape(samples, channels, -1)
    )
