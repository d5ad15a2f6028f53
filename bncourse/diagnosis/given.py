"""What the notebooks of the assignments are given as a function, because its code is the answer of another assignment.

A notebook imports these functions. When it is graded, answers run where bncourse is not installed: there the text of a
function stands in the place of its import (`bncourse.grading.core.given_code`), so each needs nothing
but NumPy and this file.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def batch_norm_forward(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5) -> Any:
    """Normalize each column of x, of shape (N, C), over its rows; return y and a cache, a dictionary.

    >>> batch_norm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), eps=0.0)[0].tolist()
    [[3.0], [7.0]]
    """
    mean = x.mean(axis=0)
    var = x.var(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    cache = {"x": x, "mean": mean, "var": var, "eps": eps, "inv_std": inv_std, "x_hat": x_hat, "gamma": gamma}
    return gamma * x_hat + beta, cache


def batch_norm_dx(dy: Any, cache: Any) -> Any:
    """Return dx alone, of shape (N, C), from dy and the cache of `batch_norm_forward`."""
    x_hat = cache["x_hat"]
    return cache["gamma"] * cache["inv_std"] * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))


def batch_norm_backward(dy: Any, cache: Any) -> Any:
    """Return (dx, dgamma, dbeta) from dy, of shape (N, C), and the cache of `batch_norm_forward`."""
    return batch_norm_dx(dy, cache), (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)


def batch_norm_inference(
    x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, *, eps: float = 1e-5
) -> Any:
    """Normalize x, of shape (N, C), with given statistics; return y and a cache with x_hat, inv_std and gamma."""
    inv_std = 1 / np.sqrt(running_var + eps)
    x_hat = (x - running_mean) * inv_std
    return gamma * x_hat + beta, {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


def normalize_with(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, *, eps: float = 1e-5) -> Any:
    """Normalize x, of shape (N, C), with given statistics; return y."""
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def layer_norm_forward(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5) -> Any:
    """Normalize each row of x, of shape (N, C); return y and a cache with x_hat, inv_std and gamma.

    `inv_std` has shape (N, 1).
    """
    mean = x.mean(axis=1, keepdims=True)
    var = x.var(axis=1, keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    return gamma * x_hat + beta, {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


def hidden_forward(layer: Any, u: Any, *, normalized: bool, eps: float = 1e-5) -> Any:
    """Compute one hidden layer, from its input u to its output h; return h and a cache for the way back."""
    z, inv_std = u @ layer["weight"], 1.0
    if normalized:
        inv_std = 1 / np.sqrt(z.var(axis=0) + eps)
        z = (z - z.mean(axis=0)) * inv_std
    h = 0.5 + 0.5 * np.tanh((layer["gamma"] * z + layer["beta"] if normalized else z + layer["beta"]) / 2)
    return h, (layer, u, z, inv_std, h, normalized)


def hidden_backward(dh: Any, cache: Any) -> Any:
    """Return the gradient with respect to u, and a dictionary with those of the layer's parameters."""
    layer, u, x_hat, inv_std, h, normalized = cache
    dy = dh * h * (1 - h)
    gradients = {"beta": dy.sum(axis=0)}
    if normalized:
        gradients["gamma"] = (dy * x_hat).sum(axis=0)
        dy = batch_norm_dx(dy, {"x_hat": x_hat, "inv_std": inv_std, "gamma": layer["gamma"]})
    gradients["weight"] = u.T @ dy
    return dy @ layer["weight"].T, gradients


def forward_of_course(keeps: str) -> Callable[..., Any]:
    """Return a course's own forward pass, for x of shape (C, N), whose cache is a tuple of what `keeps` names.

    `gamma` and `beta` have the shape (C, 1) or (C,), and `gamma` is kept as it came.

    >>> forward_of_course("std x_hat")(np.array([[1.0, 3.0]]), np.array([2.0]), np.array([5.0]), eps=0.0)[0].tolist()
    [[3.0, 7.0]]
    """

    def forward(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5) -> Any:
        mean = x.mean(axis=1, keepdims=True)
        var = x.var(axis=1, keepdims=True)
        return inference_of_course(keeps)(x, gamma, beta, mean, var, eps=eps)

    return forward


def inference_of_course(keeps: str) -> Callable[..., Any]:
    """Return a course's own normalization with given statistics, as `forward_of_course` does that of training."""

    def inference(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, *, eps: float = 1e-5) -> Any:
        mean, var, scale, shift = (np.reshape(each, (-1, 1)) for each in (mean, var, gamma, beta))
        std = np.sqrt(var + eps)
        x_hat = (x - mean) / std
        known = {"x": x, "mean": mean, "std": std, "precision": 1 / std**2, "x_hat": x_hat, "gamma": gamma}
        return scale * x_hat + shift, tuple(known[name] for name in keeps.split())

    return inference
