"""Wrong inference, and its gradient. Every function here is wrong on purpose."""

from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import wrong
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]


@wrong("inference-batch-statistics", "inference")
def as_in_training(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta


@wrong("inference-batch-mean", "inference")
def centered_by_batch(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - x.mean(axis=0)) / np.sqrt(var + eps) + beta


@wrong("inference-batch-variance", "inference")
def divided_by_batch(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - mean) / np.sqrt(x.var(axis=0) + eps) + beta


@wrong("inference-mean-missing", "inference")
def not_centered(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * x / np.sqrt(var + eps) + beta


@wrong("inference-without-affine", "inference")
def only_normalized(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return (x - mean) / np.sqrt(var + eps)


@wrong("inference-without-gamma", "inference")
def never_scaled(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return (x - mean) / np.sqrt(var + eps) + beta


@wrong("inference-without-beta", "inference")
def never_shifted(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - mean) / np.sqrt(var + eps)


@wrong("inference-gamma-one-plus", "inference")
def scaled_by_one_more(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return (1 + gamma) * (x - mean) / np.sqrt(var + eps) + beta


@wrong("inference-affine-order", "inference")
def shift_before_scale(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * ((x - mean) / np.sqrt(var + eps) + beta)


@wrong("inference-precedence", "inference")
def brackets_lost(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return x - mean / np.sqrt(var + eps) * gamma + beta


@wrong("inference-precedence", "inference")
def eps_beside_everything(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - mean) / np.sqrt(var) + eps + beta


@wrong("inference-running-var-is-std", "inference")
def taken_for_std(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - mean) / (var + eps) + beta


@wrong("inference-running-var-is-std", "inference")
def taken_for_std_without_eps(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - mean) / var + beta


@wrong("inference-eps-ignored", "inference")
def eps_unused(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - mean) / np.sqrt(var) + beta


@wrong("inference-eps-hard-coded", "inference")
def eps_of_its_own(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - mean) / np.sqrt(var + 1e-5) + beta


@wrong("inference-eps-outside-root", "inference")
def eps_after_root(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    return gamma * (x - mean) / (np.sqrt(var) + eps) + beta


@wrong("inference-eps-twice", "inference")
def eps_in_both_places(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    stored = var + eps
    return gamma * (x - mean) / np.sqrt(stored + eps) + beta


@wrong("training-backward-in-inference", "inference_backward")
def training_gradient(dy: Array, cache: Any) -> Any:
    return reference.batch_norm_backward(dy, cache)


@wrong("inference-mean-added", "inference")
def folded_with_plus(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
    scale = gamma / np.sqrt(var + eps)
    return scale * x + (beta + scale * mean)
