"""Wrong ways with feature maps (N, C, H, W). Every function here is wrong on purpose."""

from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward, wrong

Array = np.ndarray[Any, Any]
Result = tuple[Array, dict[str, Any]]


def _over(axes: tuple[int, ...], x: Array, gamma: Array, beta: Array, eps: float) -> Result:
    """Normalize with statistics over the given axes; a table is normalized rightly."""
    if x.ndim == 2:
        return plain_forward(x, gamma, beta, eps)
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat, gamma = (x - mean) * inv_std, gamma[:, None, None]
    return gamma * x_hat + beta[:, None, None], {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


@wrong("conv-per-pixel", "conv")
def each_pixel(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    return _over((0,), x, gamma, beta, eps)


@wrong("conv-channels-shared", "conv")
def all_channels(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    return _over((0, 1, 2, 3), x, gamma, beta, eps)


@wrong("conv-instance-norm", "conv")
def each_image(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    return _over((2, 3), x, gamma, beta, eps)


@wrong("conv-layer-norm", "conv")
def each_sample(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    return _over((1, 2, 3), x, gamma, beta, eps)


@wrong("conv-channels-last", "conv")
def last_axis(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    return _over((0, 1, 2), x, gamma, beta, eps)


@wrong("conv-reshape", "conv")
def reshaped_only(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    y, cache = plain_forward(x.reshape(-1, x.shape[1]), gamma, beta, eps)
    shaped = {name: value.reshape(x.shape) if np.shape(value) == y.shape else value for name, value in cache.items()}
    broad = {name: np.broadcast_to(cache[name], y.shape).reshape(x.shape) for name in ("inv_std", "gamma")}
    return y.reshape(x.shape), {**shaped, **broad}


@wrong("conv-axes-not-restored", "conv")
def never_transposed_back(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    if x.ndim == 2:
        return plain_forward(x, gamma, beta, eps)
    table = x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])
    y, _ = plain_forward(table, gamma, beta, eps)
    return y.reshape(x.shape), plain_forward(x, gamma, beta, eps)[1]


@wrong("conv-count", "conv")
def divided_by_samples(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    axes = (0, *range(2, x.ndim))
    across = (1, -1) + (1,) * (x.ndim - 2)
    centered = x - x.mean(axis=axes, keepdims=True)
    inv_std = 1 / np.sqrt((centered**2).sum(axis=axes, keepdims=True) / x.shape[0] + eps)
    gamma = gamma.reshape(across)
    x_hat = centered * inv_std
    return gamma * x_hat + beta.reshape(across), {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


@wrong("conv-count", "conv_backward")
def averages_over_samples(dy: Array, cache: Any) -> tuple[Array, Array, Array]:
    _, dgamma, dbeta = plain_backward(dy, cache)
    across, samples = cache["gamma"].shape, dy.shape[0]
    mean, var = dbeta.reshape(across) / samples, dgamma.reshape(across) / samples
    return cache["gamma"] * cache["inv_std"] * (dy - mean - cache["x_hat"] * var), dgamma, dbeta


@wrong("conv-reshape", "conv_backward")
def maps_reshaped_on_the_way_back(dy: Array, cache: Any) -> Any:
    _, c, *_ = dy.shape
    x_hat, inv_std = (np.moveaxis(np.broadcast_to(cache[one], dy.shape), 1, -1) for one in ("x_hat", "inv_std"))
    x_hat, inv_std, flat = x_hat.reshape(-1, c), inv_std.reshape(-1, c), dy.reshape(-1, c)
    inside = flat * cache["gamma"].reshape(-1)
    dx = inv_std * (inside - inside.mean(axis=0) - x_hat * (inside * x_hat).mean(axis=0))
    return dx.reshape(dy.shape), (flat * x_hat).sum(axis=0), flat.sum(axis=0)
