"""Right programs in the styles in which learners write them; none of them may ever fail a check.

All but the reference are written for a table (N, C); `on_feature_maps` moves the channels to the end and back, which is
itself a right way to treat (N, C, H, W).
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]


class Right(NamedTuple):
    """A right forward and backward pass."""

    name: str
    forward: Function
    backward: Function


def _forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x, gamma, mean, var, eps, x_hat)


def three_equations(dy: Array, cache: Any) -> Any:
    """Compute the paper's equations, the sum of deviations included."""
    x, gamma, mean, var, eps, x_hat = cache
    count = x.shape[0]
    dx_hat = dy * gamma
    dvar = np.sum(dx_hat * (x - mean) * -0.5 * (var + eps) ** -1.5, axis=0)
    dmean = np.sum(-dx_hat / np.sqrt(var + eps), axis=0) + dvar * np.sum(-2 * (x - mean), axis=0) / count
    dx = dx_hat / np.sqrt(var + eps) + dvar * 2 * (x - mean) / count + dmean / count
    return dx, np.sum(dy * x_hat, axis=0), np.sum(dy, axis=0)


def term_left_out(dy: Array, cache: Any) -> Any:
    """Leave out the term that is zero."""
    x, gamma, mean, var, eps, x_hat = cache
    dx_hat = dy * gamma
    dvar = -0.5 * ((x - mean) * dx_hat).sum(0) * (var + eps) ** (-3 / 2)
    dmean = -(dx_hat / np.sqrt(var + eps)).sum(0)
    dx = dx_hat / np.sqrt(var + eps) + 2 * dvar * (x - mean) / len(x) + dmean / len(x)
    return dx, (dy * x_hat).sum(0), dy.sum(0)


def term_malformed(dy: Array, cache: Any) -> Any:
    """Get the term that is zero wrong, which changes nothing."""
    x, gamma, mean, var, eps, x_hat = cache
    dx_hat = dy * gamma
    dvar = -0.5 * ((x - mean) * dx_hat).sum(0) * (var + eps) ** -1.5
    dmean = -(dx_hat / np.sqrt(var + eps)).sum(0) + dvar * 2 * (x - mean).mean(0)
    dx = dx_hat / np.sqrt(var + eps) + 2 * dvar * (x - mean) / len(x) + dmean / len(x)
    return dx, (dy * x_hat).sum(0), dy.sum(0)


def closed_form(dy: Array, cache: Any) -> Any:
    """Take everything over one denominator; return dict and list, as some do."""
    x, gamma, _mean, var, eps, x_hat = cache
    count, std = len(x), np.sqrt(var + eps)
    dgamma, dbeta = (dy * x_hat).sum(axis=0), dy.sum(axis=0)
    return {"dx": gamma / (count * std) * (count * dy - dbeta - x_hat * dgamma), "dgamma": dgamma, "dbeta": dbeta}


def staged_graph(dy: Array, cache: Any) -> Any:
    """Walk the graph one node a line."""
    x, gamma, mean, var, eps, x_hat = cache
    count, centered = x.shape[0], x - mean
    std = np.sqrt(var + eps)
    inverse = 1.0 / std
    dbeta = np.sum(dy, axis=0)
    dgamma = np.sum(dy * x_hat, axis=0)
    dx_hat = dy * gamma
    dinverse = np.sum(dx_hat * centered, axis=0)
    dcentered_1 = dx_hat * inverse
    dstd = -dinverse / std**2
    dvar = 0.5 * dstd / std
    dsquares = np.ones_like(x) * dvar / count
    dcentered_2 = 2 * centered * dsquares
    dcentered = dcentered_1 + dcentered_2
    dmean = -np.sum(dcentered, axis=0)
    return [dcentered + np.ones_like(x) * dmean / count, dgamma[None, :], dbeta[None, :]]


def loops(dy: Array, cache: Any) -> Any:
    """Go over features and samples one by one."""
    _, gamma, _, var, eps, x_hat = cache
    count, channels = dy.shape
    dx, dgamma, dbeta = np.zeros(dy.shape), np.zeros(channels), np.zeros(channels)
    for feature in range(channels):
        for sample in range(count):
            dbeta[feature] += dy[sample, feature]
            dgamma[feature] += dy[sample, feature] * x_hat[sample, feature]
        for sample in range(count):
            rest = dy[sample, feature] - dbeta[feature] / count - x_hat[sample, feature] * dgamma[feature] / count
            dx[sample, feature] = gamma[feature] * rest / (var[feature] + eps) ** 0.5
    return dx, dgamma, dbeta


def jacobian(dy: Array, cache: Any) -> Any:
    """Build the Jacobian matrix of each feature."""
    _, gamma, _, var, eps, x_hat = cache
    count = len(dy)
    dx = np.empty(dy.shape)
    for feature, column in enumerate(x_hat.T):
        matrix = np.eye(count) - 1 / count - np.outer(column, column) / count
        dx[:, feature] = dy[:, feature] @ matrix * gamma[feature] / np.sqrt(var[feature] + eps)
    return dx, np.diag(dy.T @ x_hat).copy(), np.ones(count) @ dy


def _centering_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    centering = np.eye(len(x)) - np.ones((len(x), len(x))) / len(x)
    centered = centering @ x
    inv_std = (np.einsum("nc,nc->c", centered, centered) / len(x) + eps) ** -0.5
    return centered * inv_std * gamma + beta, {"P": centering, "z": centered, "s": inv_std, "g": gamma}


def centering_matrix(dy: Array, cache: Any) -> Any:
    """Center by a matrix, forward and backward; the cache is a dict."""
    z, s = cache["z"], cache["s"]
    dz = cache["g"] * (dy * s - z * s**3 * np.einsum("nc,nc->c", dy, z) / len(dy))
    return cache["P"].T @ dz, np.einsum("nc,nc,c->c", dy, z, s), dy.sum(0)


def _single_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    return _forward(x.astype(np.float32), gamma.astype(np.float32), beta.astype(np.float32), float(np.float32(eps)))


def single_precision(dy: Array, cache: Any) -> Any:
    """Compute in float32 and return float32."""
    return three_equations(dy.astype(np.float32), cache)


def _closure_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    y, cache = _forward(x, gamma, beta, eps)
    return y, lambda dy: staged_graph(dy, cache)


def closure(dy: Array, cache: Any) -> Any:
    """Keep a function in the cache."""
    return cache(dy)


def _in_place_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    x_hat = x.copy()
    x_hat -= x_hat.mean(axis=0)
    std = np.sqrt((x_hat**2).mean(axis=0) + eps)
    x_hat /= std
    y = x_hat * gamma
    y += beta
    return y, [x_hat, std, gamma.copy()]


def in_place(dy: Array, cache: Any) -> Any:
    """Write into own copies, and into the own cache."""
    x_hat, std, gamma = cache
    dbeta = dy.sum(axis=0)
    dgamma = (dy * x_hat).sum(axis=0)
    x_hat *= -dgamma / len(dy)
    x_hat += dy
    x_hat -= dbeta / len(dy)
    x_hat *= gamma / std
    return x_hat, dgamma, dbeta


def _one_pass_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    mean = np.add.reduce(x, axis=0) / len(x)
    var = np.maximum(np.add.reduce(x * x, axis=0) / len(x) - mean * mean, 0)
    x_hat = (x - mean) * (var + eps) ** -0.5
    return x_hat * gamma + beta, (x, gamma, mean, var, eps, x_hat)


def _object_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    layer = SimpleNamespace(x=x, gamma=gamma, eps=eps, mean=x.mean(0), var=x.var(0, ddof=1) * (len(x) - 1) / len(x))
    layer.x_hat = (x - layer.mean) / (layer.var + eps) ** 0.5
    return layer.x_hat * gamma + beta, layer


def attributes(dy: Array, cache: Any) -> Any:
    """Keep everything as attributes of an object, and recompute from x."""
    return closed_form(dy, (cache.x, cache.gamma, cache.mean, cache.var, cache.eps, cache.x_hat))


def _tuple_result(backward: Function) -> Function:
    def run(dy: Array, cache: Any) -> Any:
        return reference.Gradients(*backward(dy, cache))

    return run


def on_feature_maps(right: Right) -> Right:
    """Apply a pair for tables to (N, C, ...): channels to the end, flatten, and undo both."""

    def forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
        moved = np.moveaxis(x, 1, -1)
        y, cache = right.forward(np.ascontiguousarray(moved.reshape(-1, x.shape[1])), gamma, beta, eps=eps)
        return np.moveaxis(y.reshape(moved.shape), -1, 1), cache

    def backward(dy: Array, cache: Any) -> Any:
        moved = np.moveaxis(dy, 1, -1)
        found = right.backward(np.ascontiguousarray(moved.reshape(-1, dy.shape[1])), cache)
        dx, dgamma, dbeta = found.values() if isinstance(found, dict) else found
        return np.moveaxis(dx.reshape(moved.shape), -1, 1), dgamma, dbeta

    return Right(f"{right.name}, on feature maps", forward, backward)


RIGHT = (
    Right("the reference", reference.batch_norm_forward, reference.batch_norm_backward),
    Right(
        "the reference, staged",
        reference.batch_norm_forward,
        lambda dy, c: reference.batch_norm_backward_staged(dy, c)[0],
    ),
    Right("three equations of the paper", _forward, three_equations),
    Right("the zero term left out", _forward, term_left_out),
    Right("the zero term malformed", _forward, term_malformed),
    Right("closed form, as a dict", _forward, closed_form),
    Right("staged graph, as a list of (1, C)", _forward, staged_graph),
    Right("loops over samples", _forward, loops),
    Right("a Jacobian matrix for each feature", _forward, jacobian),
    Right("centering matrix, cache as a dict", _centering_forward, centering_matrix),
    Right("float32 inside", _single_forward, single_precision),
    Right("a closure as the cache", _closure_forward, closure),
    Right("in place on own copies", _in_place_forward, in_place),
    Right("variance in one pass", _one_pass_forward, _tuple_result(three_equations)),
    Right("an object as the cache", _object_forward, attributes),
)
