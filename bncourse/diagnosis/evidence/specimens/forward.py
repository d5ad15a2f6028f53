"""Wrong forward passes. Every function here is wrong on purpose; its belief stands in the line above it."""

from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import plain_forward, wrong

Array = np.ndarray[Any, Any]
Result = tuple[Array, dict[str, Any]]


def _finish(x_hat: Array, inv_std: Any, gamma: Array, beta: Array) -> Result:
    """Scale, shift and pack: the part that these programs have right."""
    return gamma * x_hat + beta, {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


@wrong("eps-outside-root", "forward")
def eps_beside_std(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / (x.std(axis=0) + eps)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("eps-ignored", "forward")
def no_eps(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / x.std(axis=0)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("eps-hard-coded", "forward")
def own_eps(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.var(axis=0) + 1e-5)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("eps-hard-coded", "forward")
def own_tiny_eps_beside_std(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / (x.std(axis=0) + 1e-8)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("eps-subtracted", "forward")
def minus_eps(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = (x.var(axis=0) - eps) ** -0.5
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("variance-unbiased", "forward")
def bessel(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.var(axis=0, ddof=1) + eps)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("variance-is-sum", "forward")
def summed_squares(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    centered = x - x.mean(axis=0)
    inv_std = 1 / np.sqrt((centered**2).sum(axis=0) + eps)
    return _finish(centered * inv_std, inv_std, gamma, beta)


@wrong("variance-about-zero", "forward")
def mean_square(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt((x * x).mean(axis=0) + eps)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("variance-without-root", "forward")
def no_root(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / (x.var(axis=0) + eps)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("multiplied-by-std", "forward")
def times_std(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    std = np.sqrt(x.var(axis=0) + eps)
    return _finish((x - x.mean(axis=0)) * std, std, gamma, beta)


@wrong("mean-not-subtracted", "forward")
def only_scaled(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    return _finish(x * inv_std, inv_std, gamma, beta)


@wrong("variance-not-divided", "forward")
def only_centered(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    return _finish(x - x.mean(axis=0), 1.0, gamma, beta)


@wrong("layer-norm", "forward")
def over_features(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
    return _finish((x - x.mean(axis=1, keepdims=True)) * inv_std, inv_std, gamma, beta)


@wrong("scalar-statistics", "forward")
def over_everything(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(np.var(x) + eps)
    return _finish((x - np.mean(x)) * inv_std, inv_std, gamma, beta)


@wrong("gamma-missing", "forward")
def not_scaled(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    _, cache = plain_forward(x, gamma, beta, eps)
    return cache["x_hat"] + beta, cache


@wrong("gamma-one-plus", "forward")
def one_plus_gamma(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    _, cache = plain_forward(x, gamma, beta, eps)
    return cache["x_hat"] * (1 + gamma) + beta, cache


@wrong("beta-missing", "forward")
def not_shifted(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    _, cache = plain_forward(x, gamma, beta, eps)
    return gamma * cache["x_hat"], cache


@wrong("affine-missing", "forward")
def neither_scaled_nor_shifted(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    _, cache = plain_forward(x, gamma, beta, eps)
    return cache["x_hat"], cache


@wrong("affine-order", "forward")
def shifted_first(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    _, cache = plain_forward(x, gamma, beta, eps)
    return gamma * (cache["x_hat"] + beta), cache


@wrong("law-batch-mean", "forward")
def median_for_mean(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    return _finish((x - np.median(x, axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("law-shift", "forward")
def width_by_largest(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt((x**2).max(axis=0) + eps)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("law-permutation", "forward")
def first_sample_left_out(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x[1:].var(axis=0) + eps)
    return _finish((x - x[1:].mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("law-features-apart", "forward")
def widest_feature_for_all(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.var(axis=0).max() + eps)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("beta-gamma-exchanged", "forward")
def shift_for_scale(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, beta, gamma)


@wrong("precedence", "forward")
def mean_over_std(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    std = np.sqrt(x.var(axis=0) + eps)
    x_hat = x - x.mean(axis=0) / std
    return _finish(x_hat, 1 / std, gamma, beta)


@wrong("precedence", "forward")
def folded_without_scale(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    _, cache = plain_forward(x, gamma, beta, eps)
    scale = gamma / np.sqrt(x.var(axis=0) + eps)
    return scale * x + (beta - x.mean(axis=0)), cache


@wrong("variance-absolute", "forward")
def mean_distance(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    centered = x - x.mean(axis=0)
    inv_std = 1 / np.sqrt(np.abs(centered).mean(axis=0) + eps)
    return _finish(centered * inv_std, inv_std, gamma, beta)


@wrong("variance-absolute", "forward")
def mean_distance_for_std(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    centered = x - x.mean(axis=0)
    inv_std = 1 / (np.abs(centered).mean(axis=0) + eps)
    return _finish(centered * inv_std, inv_std, gamma, beta)


@wrong("mean-added", "forward")
def plus_mean(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    return _finish((x + x.mean(axis=0)) * inv_std, inv_std, gamma, beta)


@wrong("root-twice", "forward")
def root_of_std(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Result:
    inv_std = 1 / np.sqrt(x.std(axis=0) + eps)
    return _finish((x - x.mean(axis=0)) * inv_std, inv_std, gamma, beta)
