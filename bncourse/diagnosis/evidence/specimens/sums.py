"""Wrong sums: over the wrong axis, too early, forgotten; in dx, dgamma and dbeta. Wrong on purpose."""

from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward, wrong

Array = np.ndarray[Any, Any]
Result = tuple[Array, Array, Array]


def _with_dx(dx: Array, dy: Array, cache: Any) -> Result:
    """A wrong dx beside a right dgamma and dbeta."""
    return dx, (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)


@wrong("batch-sum-missing", "backward")
def diagonal_of_jacobian(dy: Array, cache: Any) -> Result:
    x_hat, count = cache["x_hat"], len(dy)
    diagonal = cache["gamma"] * cache["inv_std"] * (1 - 1 / count - x_hat**2 / count)
    return _with_dx(diagonal * dy, dy, cache)


@wrong("batch-sum-missing", "backward")
def elementwise_chain_rule(dy: Array, cache: Any) -> Result:
    dx_hat, s, centered = dy * cache["gamma"], cache["inv_std"], cache["x"] - cache["mean"]
    dvar = dx_hat * centered * -0.5 * s**3
    return _with_dx(dx_hat * s + dvar * 2 * centered / len(dy) - s * dx_hat.mean(axis=0), dy, cache)


@wrong("summed-too-early", "backward")
def dy_summed_first(dy: Array, cache: Any) -> Result:
    g, x_hat, mean = cache["gamma"] * cache["inv_std"], cache["x_hat"], dy.mean(axis=0)
    return _with_dx(g * (dy - mean - x_hat * (mean * x_hat)), dy, cache)


@wrong("backward-wrong-axis", "backward")
def along_the_features(dy: Array, cache: Any) -> Result:
    dx_hat, x_hat = dy * cache["gamma"], cache["x_hat"]
    mean, var = dx_hat.mean(axis=1, keepdims=True), (dx_hat * x_hat).mean(axis=1, keepdims=True)
    return _with_dx(cache["inv_std"] * (dx_hat - mean - x_hat * var), dy, cache)


@wrong("backward-total-sum", "backward")
def axis_forgotten(dy: Array, cache: Any) -> Result:
    x_hat = cache["x_hat"]
    bracket = dy - np.mean(dy) - x_hat * np.mean(dy * x_hat)
    return _with_dx(cache["gamma"] * cache["inv_std"] * bracket, dy, cache)


@wrong("x-for-x-hat", "backward")
def raw_x(dy: Array, cache: Any) -> Result:
    x = cache["x"]
    bracket = dy - dy.mean(axis=0) - x * (dy * x).mean(axis=0)
    return _with_dx(cache["gamma"] * cache["inv_std"] * bracket, dy, cache)


def _layer_norm_with_gamma_in_front(dy: Array, cache: Any) -> Result:
    x_hat = cache["x_hat"]
    bracket = dy - dy.mean(axis=1, keepdims=True) - x_hat * (dy * x_hat).mean(axis=1, keepdims=True)
    return _with_dx(cache["gamma"] * cache["inv_std"] * bracket, dy, cache)


@wrong("gamma-pulled-out", "pair", _layer_norm_with_gamma_in_front, beside=("layer-norm",))
def layer_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    inv_std = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
    x_hat = (x - x.mean(axis=1, keepdims=True)) * inv_std
    return gamma * x_hat + beta, {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


def _textbook_gradient(dy: Array, cache: Any) -> Result:
    return plain_backward(dy, cache)


@wrong("closed-form-of-another-forward", "pair", _textbook_gradient, beside=("eps-outside-root",))
def eps_outside_but_differentiated_inside(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    inv_std = 1 / (x.std(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) * inv_std
    return gamma * x_hat + beta, {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


def _unpacks_in_another_order(dy: Array, cache: Any) -> Result:
    _beta, x_hat, gamma, inv_std = cache
    return plain_backward(dy, {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma})


@wrong("cache-order", "pair", _unpacks_in_another_order)
def packs_gamma_first(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    y, cache = plain_forward(x, gamma, beta, eps)
    return y, (gamma, cache["x_hat"], beta, cache["inv_std"])


def _unpacks_more(dy: Array, cache: Any) -> Result:
    x_hat, inv_std, gamma, _ = cache
    return plain_backward(dy, {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma})


@wrong("cache-order", "pair", _unpacks_more)
def packs_three(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    y, cache = plain_forward(x, gamma, beta, eps)
    return y, (cache["x_hat"], cache["inv_std"], gamma)


@wrong("dgamma-with-x", "backward")
def dgamma_of_x(dy: Array, cache: Any) -> Result:
    dx, _, dbeta = plain_backward(dy, cache)
    return dx, (dy * cache["x"]).sum(axis=0), dbeta


@wrong("dgamma-with-centered", "backward")
def dgamma_of_centered(dy: Array, cache: Any) -> Result:
    dx, _, dbeta = plain_backward(dy, cache)
    return dx, (dy * (cache["x"] - cache["mean"])).sum(axis=0), dbeta


@wrong("dgamma-with-y", "backward")
def dgamma_of_y(dy: Array, cache: Any) -> Result:
    dx, _, dbeta = plain_backward(dy, cache)
    return dx, (dy * cache["y"]).sum(axis=0), dbeta


@wrong("dgamma-without-x-hat", "backward")
def dgamma_like_dbeta(dy: Array, cache: Any) -> Result:
    dx, _, dbeta = plain_backward(dy, cache)
    return dx, dbeta.copy(), dbeta


@wrong("dgamma-times-gamma", "backward")
def dgamma_of_dx_hat(dy: Array, cache: Any) -> Result:
    dx, _, dbeta = plain_backward(dy, cache)
    return dx, (dy * cache["gamma"] * cache["x_hat"]).sum(axis=0), dbeta


@wrong("dgamma-summed-too-early", "backward")
def sums_then_multiplies(dy: Array, cache: Any) -> Result:
    dx, _, dbeta = plain_backward(dy, cache)
    return dx, dy.sum(axis=0) * cache["x_hat"].sum(axis=0), dbeta


@wrong("dgamma-mean", "backward")
def dgamma_averaged(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx, dgamma / len(dy), dbeta


@wrong("dgamma-flipped", "backward")
def dgamma_downhill(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx, -dgamma, dbeta


@wrong("dbeta-mean", "backward")
def dbeta_averaged(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx, dgamma, dbeta / len(dy)


@wrong("dbeta-times-gamma", "backward")
def dbeta_of_dx_hat(dy: Array, cache: Any) -> Result:
    dx, dgamma, _ = plain_backward(dy, cache)
    return dx, dgamma, (dy * cache["gamma"]).sum(axis=0)


@wrong("dbeta-with-x-hat", "backward")
def dbeta_like_dgamma(dy: Array, cache: Any) -> Result:
    dx, dgamma, _ = plain_backward(dy, cache)
    return dx, dgamma, dgamma.copy()


@wrong("dbeta-flipped", "backward")
def dbeta_downhill(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx, dgamma, -dbeta


@wrong("parameter-gradients-swapped", "backward")
def beta_before_gamma(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx, dbeta, dgamma


@wrong("parameter-gradient-not-summed", "backward")
def one_row_a_sample(dy: Array, cache: Any) -> Result:
    return plain_backward(dy, cache)[0], dy * cache["x_hat"], dy.copy()


@wrong("parameter-gradient-total-sum", "backward")
def one_number(dy: Array, cache: Any) -> Result:
    return plain_backward(dy, cache)[0], np.sum(dy * cache["x_hat"]), np.sum(dy)


@wrong("parameter-gradient-wrong-axis", "backward")
def one_number_a_sample(dy: Array, cache: Any) -> Result:
    return plain_backward(dy, cache)[0], (dy * cache["x_hat"]).sum(axis=1), dy.sum(axis=1)


@wrong("law-linear", "backward")
def dy_squared(dy: Array, cache: Any) -> Result:
    size = np.sqrt((dy * dy).sum(axis=0))
    dx, dgamma, dbeta = plain_backward(dy * size, cache)
    return dx, dgamma / size, dbeta / size


@wrong("law-dx-sums-to-zero", "backward")
def mean_path_weak(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx + cache["gamma"] * cache["inv_std"] * dy.mean(axis=0) * 0.3, dgamma, dbeta


@wrong("law-dx-orthogonal", "backward")
def variance_path_weak(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    extra = cache["x_hat"] * (dy * cache["x_hat"]).mean(axis=0)
    return dx + cache["gamma"] * cache["inv_std"] * extra * 0.3, dgamma, dbeta


@wrong("law-derivative", "backward")
def unlisted_factor(dy: Array, cache: Any) -> Result:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return 1.3 * dx, dgamma, dbeta
