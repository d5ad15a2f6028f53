"""Wrong forward passes that no switches describe: axes in another order, and brackets that are missing."""

from typing import Any

import numpy as np

from bncourse.diagnosis.probes import Probe
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]


def axes_and_brackets(probe: Probe) -> list[tuple[str, Array]]:
    """What a forward pass in training may be that no program of the family is."""
    axes = (0, *range(2, probe.x.ndim))
    moments = probe.x.mean(axis=axes), probe.x.var(axis=axes)
    brackets = precedences(probe, "precedence", moments) if probe.layout.kind == "batch" else []
    return reshapes(probe) + brackets


def reshapes(probe: Probe) -> list[tuple[str, Array]]:
    """Feature maps flattened or restored in the wrong order of axes."""
    x, gamma, beta = probe.x, probe.gamma, probe.beta
    if x.ndim == 2 or probe.layout.kind != "batch":
        return []
    n, c, h, w = x.shape

    def normalize(table: Array) -> Array:
        return reference.batch_norm_forward(table, gamma, beta, eps=probe.eps)[0]

    last = normalize(x.transpose(0, 2, 3, 1).reshape(-1, c))
    turned = normalize(x.transpose(0, 3, 2, 1).reshape(-1, c))
    first = normalize(x.transpose(1, 0, 2, 3).reshape(c, -1).T)
    return [
        ("conv-reshape", normalize(x.reshape(-1, c)).reshape(x.shape)),
        ("conv-axes-not-restored", last.reshape(x.shape)),
        ("conv-axes-not-restored", last.reshape(n, w, h, c).transpose(0, 3, 2, 1)),
        ("conv-axes-not-restored", last.reshape(n, h, c, w).transpose(0, 2, 1, 3)),
        ("conv-axes-not-restored", turned.reshape(n, h, w, c).transpose(0, 3, 1, 2)),
        ("conv-axes-not-restored", first.T.reshape(x.shape)),
        ("conv-axes-not-restored", first.reshape(x.shape)),
    ]


def precedences(
    probe: Probe, belief: str = "inference-precedence", moments: tuple[Array, Array] | None = None
) -> list[tuple[str, Array]]:
    """Brackets lost in gamma * (x - mean) / sqrt(var + eps) + beta; the running statistics are the default."""
    vectors = probe.gamma, probe.beta, *(moments or (probe.running_mean, probe.running_var))
    x, (gamma, beta, mean, var) = probe.x, (probe.layout.across(one, probe.x.ndim) for one in vectors)
    std, root = np.sqrt(var + probe.eps), np.sqrt(var)
    candidates = [
        x - mean / std * gamma + beta,
        gamma * x - mean / std + beta,
        gamma * (x - mean / std) + beta,
        (x - mean) / root + probe.eps * gamma + beta,
        gamma * (x - mean) / root + probe.eps + beta,
        (gamma * x - mean) / std + beta,
        gamma * x / std - mean + beta,
        x / std * gamma - mean / std + beta,
    ]
    return [(belief, candidate) for candidate in candidates]
