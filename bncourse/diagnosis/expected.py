"""What is right for a probe: the gradients, and the sizes against which errors are measured."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis import paths, transforms
from bncourse.diagnosis.probes import Probe
from bncourse.diagnosis.transform_families import right_switches
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]


class Expected(NamedTuple):
    """What is right for a probe."""

    gradients: dict[str, Array]
    right: transforms.Normalized
    sizes: dict[str, Array]
    """Size of the terms that each gradient is a sum of: of dx by set, of dgamma and dbeta by channel."""


@lru_cache(maxsize=64)
def expected_of(probe: Probe, *, inference: bool) -> Expected:
    """Work it out once for each probe."""
    found: tuple[Array, ...]
    if inference:
        statistics = probe.running_mean, probe.running_var
        _, cache = reference.batch_norm_inference(probe.x, probe.gamma, probe.beta, *statistics, eps=probe.eps)
        found = tuple(reference.batch_norm_inference_backward(probe.dy, cache))
    elif probe.layout.kind == "batch":
        _, cache = reference.batch_norm_forward(*probe.wide, eps=probe.eps)
        found = tuple(reference.batch_norm_backward(probe.dy.astype(np.float64), cache))
    else:
        x, gamma, _ = probe.wide
        found = probe.layout.gradients(x, gamma, probe.dy.astype(np.float64), probe.eps)
    switches = right_switches(transforms.kind_of(probe, inference=inference))
    right = transforms.transform(probe, switches, inference=inference)
    rows = paths.rows
    dy, x_hat = rows(probe.dy), rows(right.x_hat)
    total = np.abs(dy).sum(axis=0)
    arrays = (probe.rows(np.broadcast_to(one, probe.x.shape)) for one in (right.x_hat, right.inv_std))
    basis = paths.make_basis(probe.gain * probe.rows(probe.dy), *arrays)
    sizes = {"dx": basis.size, "dgamma": total * np.abs(x_hat).max(axis=0), "dbeta": total}
    return Expected(dict(zip(("dx", "dgamma", "dbeta"), found, strict=True)), right, sizes)


@lru_cache(maxsize=64)
def right_output(probe: Probe, *, inference: bool = False) -> Array:
    """Return the right y."""
    if inference:
        arguments = probe.x, probe.gamma, probe.beta, probe.running_mean, probe.running_var
        return np.asarray(reference.batch_norm_inference(*arguments, eps=probe.eps)[0])
    if probe.layout.kind == "batch":
        return np.asarray(reference.batch_norm_forward(*probe.wide, eps=probe.eps)[0])
    return probe.layout.forward(*probe.wide, probe.eps)
