"""Wrong programs of the kinds that real solutions have shown. Every function here is wrong on purpose."""

from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward, wrong

Array = np.ndarray[Any, Any]


def _kept(x_hat: Array, inv_std: Array, gamma: Array) -> dict[str, Any]:
    return {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


# --- the forward pass


@wrong("mean-shared", "forward")
def one_mean(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    s = 1 / np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - np.mean(x)) * s
    return gamma * x_hat + beta, _kept(x_hat, s, gamma)


@wrong("variance-shared", "forward")
def one_variance(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    centered = x - x.mean(axis=0)
    s = 1 / np.sqrt(np.mean(centered**2) + eps)
    return gamma * centered * s + beta, _kept(centered * s, s * np.ones(x.shape[1]), gamma)


@wrong("variance-shared", "forward")
def one_sum_of_squares(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    centered = x - x.sum(axis=0) / len(x)
    s = (np.sum(centered**2) / len(x) + eps) ** -0.5
    return gamma * centered * s + beta, _kept(centered * s, s * np.ones(x.shape[1]), gamma)


@wrong("variance-divided-by-features", "forward")
def wrong_length(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    features = x.shape[1]
    centered = x - x.mean(axis=0)
    s = 1 / np.sqrt((centered**2).sum(axis=0) / features + eps)
    return gamma * centered * s + beta, _kept(centered * s, s, gamma)


@wrong("shift-subtracted", "forward")
def minus_beta(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    y, cache = plain_forward(x, gamma, beta, eps)
    return y - 2 * beta, cache


@wrong("shift-divided", "forward")
def shifted_before_divided(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    s = 1 / np.sqrt(x.var(axis=0) + eps)
    centered = x - x.mean(axis=0)
    return (gamma * centered + beta) * s, _kept(centered * s, s, gamma)


# --- dx


def _parts(dy: Array, cache: Any) -> tuple[Array, Array, Array]:
    x_hat = cache["x_hat"]
    return dy, dy.mean(axis=0), x_hat * (dy * x_hat).mean(axis=0)


def _with(dx: Array, dy: Array, cache: Any) -> Any:
    _, dgamma, dbeta = plain_backward(dy, cache)
    return dx, dgamma, dbeta


@wrong("count-of-features", "backward")
def divided_by_features(dy: Array, cache: Any) -> Any:
    x_hat, g, features = cache["x_hat"], cache["gamma"] * cache["inv_std"], dy.shape[1]
    dx = g * (features * dy - dy.sum(axis=0) - x_hat * (dy * x_hat).sum(axis=0)) / features
    return _with(dx, dy, cache)


@wrong("count-of-features", "backward")
def variance_over_features(dy: Array, cache: Any) -> Any:
    dx_hat, s, centered = dy * cache["gamma"], cache["inv_std"], cache["x"] - cache["mean"]
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * s**3
    dx = dx_hat * s + dvar * 2 * centered / dy.shape[1] - (dx_hat * s).mean(axis=0)
    return _with(dx, dy, cache)


@wrong("direct-path-std-missing", "backward")
def direct_undivided(dy: Array, cache: Any) -> Any:
    direct, mean, var = _parts(dy, cache)
    s = cache["inv_std"]
    return _with(cache["gamma"] * (direct - s * mean - s * var), dy, cache)


@wrong("mean-path-std-missing", "backward")
def mean_undivided(dy: Array, cache: Any) -> Any:
    dx_hat, s = dy * cache["gamma"], cache["inv_std"]
    dmean = -dx_hat.sum(axis=0)
    var = cache["x_hat"] * (dx_hat * cache["x_hat"]).mean(axis=0)
    return _with(s * (dx_hat - var) + dmean / len(dy), dy, cache)


@wrong("backward-eps-subtracted", "backward")
def eps_taken_away(dy: Array, cache: Any) -> Any:
    direct, mean, var = _parts(dy, cache)
    return _with(cache["gamma"] / np.sqrt(cache["var"] - cache["eps"]) * (direct - mean - var), dy, cache)


@wrong("backward-eps-subtracted", "backward")
def eps_taken_away_in_the_variance(dy: Array, cache: Any) -> Any:
    dx_hat, s, centered = dy * cache["gamma"], cache["inv_std"], cache["x"] - cache["mean"]
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * (cache["var"] - cache["eps"]) ** -1.5
    return _with(dx_hat * s + dvar * 2 * centered / len(dy) - (dx_hat * s).mean(axis=0), dy, cache)


@wrong("deviation-lost", "backward")
def variance_spread_evenly(dy: Array, cache: Any) -> Any:
    dx_hat, s, centered = dy * cache["gamma"], cache["inv_std"], cache["x"] - cache["mean"]
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * s**3
    return _with(dx_hat * s + dvar * 2 / len(dy) - (dx_hat * s).mean(axis=0), dy, cache)


@wrong("dy-summed-first", "backward")
def starts_with_a_sum(dy: Array, cache: Any) -> Any:
    dx_hat, s = dy.sum(axis=0) * cache["gamma"], cache["inv_std"]
    dx = s * (dx_hat - dx_hat.mean() - cache["x_hat"] ** 2 * dx_hat / len(dy))
    return _with(dx, dy, cache)


@wrong("backward-features-mix", "backward")
def mixed_by_a_product(dy: Array, cache: Any) -> Any:
    dx_hat, x_hat = dy * cache["gamma"], cache["x_hat"]
    dx = cache["inv_std"] * (dx_hat - dx_hat.mean(axis=0) - (x_hat @ dx_hat.T) @ x_hat / len(dy))
    return _with(dx, dy, cache)


@wrong("front-factor-partial", "backward")
def front_on_two_terms(dy: Array, cache: Any) -> Any:
    g, x_hat, count = cache["gamma"] * cache["inv_std"], cache["x_hat"], len(dy)
    dx = g / count * (count * dy - dy.sum(axis=0)) - x_hat * (dy * x_hat).sum(axis=0)
    return _with(dx, dy, cache)


@wrong("front-factor-partial", "backward")
def front_on_the_first_term(dy: Array, cache: Any) -> Any:
    direct, mean, var = _parts(dy, cache)
    return _with(cache["gamma"] * cache["inv_std"] * direct - mean - var, dy, cache)


@wrong("gamma-partial", "backward")
def mean_of_dy_itself(dy: Array, cache: Any) -> Any:
    dx_hat, x_hat = dy * cache["gamma"], cache["x_hat"]
    dx = cache["inv_std"] * (dx_hat - dy.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0))
    return _with(dx, dy, cache)


@wrong("dgamma-with-std", "backward")
def divided_once_more(dy: Array, cache: Any) -> Any:
    dx, dgamma, dbeta = plain_backward(dy, cache)
    return dx, dgamma * cache["inv_std"].reshape(-1), dbeta


def _unpacked_in_another(dy: Array, cache: Any) -> Any:
    centered, x_hat, s, gamma = cache
    dx_hat = dy * gamma
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * s**3
    dx = dx_hat * s + dvar * 2 * centered / len(dy) - (dx_hat * s).mean(axis=0)
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


@wrong("cache-order", "pair", _unpacked_in_another)
def packed_in_one_order(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    y, cache = plain_forward(x, gamma, beta, eps)
    return y, (cache["x_hat"], cache["x"] - cache["mean"], cache["inv_std"], gamma)


# --- inference


@wrong("inference-eps-subtracted", "inference")
def less_eps(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Array:
    return np.asarray(gamma * (x - mean) / np.sqrt(var - eps) + beta)


@wrong("inference-shift-subtracted", "inference")
def less_beta(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Array:
    return np.asarray(gamma * (x - mean) / np.sqrt(var + eps) - beta)


@wrong("inference-shift-divided", "inference")
def beta_under_the_root(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Array:
    return np.asarray((gamma * (x - mean) + beta) / np.sqrt(var + eps))


# --- running statistics


def _move(old: Array, new: Array, momentum: float) -> Array:
    return np.asarray((1 - momentum) * old + momentum * new)


@wrong("momentum-hard-coded", "running")
def a_tenth(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    return 0.9 * mean + 0.1 * x.mean(axis=0), 0.9 * var + 0.1 * x.var(axis=0, ddof=1)


@wrong("running-var-of-mean", "running")
def copied_line(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    return _move(mean, x.mean(axis=0), momentum), _move(var, x.mean(axis=0), momentum)


@wrong("running-statistics-mixed", "running")
def copied_the_old_mean(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    return _move(mean, x.mean(axis=0), momentum), _move(mean, x.var(axis=0, ddof=1), momentum)


@wrong("running-statistics-mixed", "running")
def variance_about_the_running_mean(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    return _move(mean, x.mean(axis=0), momentum), _move(var, ((x - mean) ** 2).mean(axis=0), momentum)


@wrong("running-var-about-zero", "running")
def mean_of_squares(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    return _move(mean, x.mean(axis=0), momentum), _move(var, (x**2).mean(axis=0), momentum)


@wrong("running-sum-for-mean", "running")
def averages_the_sum(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    return _move(mean, x.sum(axis=0), momentum), _move(var, x.var(axis=0, ddof=1), momentum)


@wrong("running-roots-averaged", "running")
def root_of_the_old_too(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    root = _move(np.sqrt(var), x.std(axis=0, ddof=1), momentum)
    return _move(mean, x.mean(axis=0), momentum), root**2


@wrong("running-inverse-std-stored", "running")
def what_multiplies(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    return _move(mean, x.mean(axis=0), momentum), _move(var, 1 / np.sqrt(x.var(axis=0) + 1e-5), momentum)


# --- feature maps


@wrong("conv-pixel-channels", "conv")
def over_the_channels(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    if x.ndim == 2:
        return plain_forward(x, gamma, beta, eps)
    s = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
    x_hat, gamma = (x - x.mean(axis=1, keepdims=True)) * s, gamma[:, None, None]
    return gamma * x_hat + beta[:, None, None], _kept(x_hat, s, gamma)


@wrong("conv-rows-columns", "conv")
def transposed_twice_alike(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    if x.ndim == 2:
        return plain_forward(x, gamma, beta, eps)
    y, cache = plain_forward(x, gamma, beta, eps)
    return np.ascontiguousarray(y.transpose(0, 1, 3, 2)), cache


# --- whatever it is


def _wants_a_cache(dy: Array, cache: Any) -> Any:
    x_hat, s, gamma = cache
    return plain_backward(dy, _kept(x_hat, s, gamma))


@wrong("cache-missing", "pair", _wants_a_cache)
def hands_nothing_on(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
    return plain_forward(x, gamma, beta, eps)[0], None
