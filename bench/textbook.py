"""The plain textbook batch norm in NumPy: mean, var, broadcasting, and the closed form of the gradient."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, tuple[Array, ...]]:
    """Normalize over every axis but axis 1, scale and shift."""
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    columns = [-1 if axis == 1 else 1 for axis in range(x.ndim)]
    gamma, beta = gamma.reshape(columns), beta.reshape(columns)
    mean = x.mean(axis=axes, keepdims=True)
    var = x.var(axis=axes, keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    return gamma * x_hat + beta, (x_hat, inv_std, gamma)


def backward(dy: Array, cache: tuple[Array, ...]) -> tuple[Array, Array, Array]:
    """Gradients for x, gamma and beta."""
    x_hat, inv_std, gamma = cache
    axes = tuple(axis for axis in range(dy.ndim) if axis != 1)
    count = dy.size // dy.shape[1]
    dbeta = dy.sum(axis=axes, keepdims=True)
    dgamma = (dy * x_hat).sum(axis=axes, keepdims=True)
    dx = gamma * inv_std / count * (count * dy - dbeta - x_hat * dgamma)
    return dx, dgamma.ravel(), dbeta.ravel()
