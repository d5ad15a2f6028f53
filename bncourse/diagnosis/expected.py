"""What is right for a probe: the reference's gradients, and the sizes against which errors are measured."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis import paths, transforms
from bncourse.diagnosis.probes import Probe
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]


class Truth(NamedTuple):
    """What is right for a probe, whoever is asked."""

    reference: Any
    right: transforms.Normalized
    sizes: dict[str, Array]
    """Size of the terms that each gradient is a sum of, channel by channel."""


@lru_cache(maxsize=64)
def truth_of(probe: Probe, *, inference: bool) -> Truth:
    """Work it out once for each probe."""
    if inference:
        statistics = probe.running_mean, probe.running_var
        _, cache = reference.batch_norm_inference(probe.x, probe.gamma, probe.beta, *statistics, eps=probe.eps)
        gradients = reference.batch_norm_inference_backward(probe.dy, cache)
    else:
        _, cache = reference.batch_norm_forward(*probe.wide, eps=probe.eps)
        gradients = reference.batch_norm_backward(probe.dy.astype(np.float64), cache)
    right = transforms.transform(probe, transforms.Switches(), inference=inference)
    dy, x_hat = paths.rows(probe.dy), paths.rows(right.x_hat)
    total = np.abs(dy).sum(axis=0)
    basis = paths.make_basis(dy, x_hat, gain_of(right))
    return Truth(gradients, right, {"dx": basis.size, "dgamma": total * np.abs(x_hat).max(axis=0), "dbeta": total})


def gain_of(model: transforms.Normalized) -> Array:
    """Factor of the three paths, feature by feature."""
    return np.asarray((model.gain * model.inv_std).reshape(-1))
