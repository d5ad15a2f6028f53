"""Right pairs that are not batch normalization, and wrong ones: a check that knows one formula by heart fails on them.

Each forward pass differs from batch normalization in one thing, and its backward pass is its own gradient.
"""

from typing import Any

import numpy as np

from bncourse.diagnosis.check_of_checks import Pair
from bncourse.diagnosis.evidence.correct_programs import RIGHT, Right
from bncourse.diagnosis.evidence.specimens import SPECIMENS
from bncourse.numpy_bn.normalization import normalize_backward, normalize_forward

Array = np.ndarray[Any, Any]


def _sample_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    return normalize_forward(x, gamma, beta, kind="layer", eps=eps)


def _unbiased_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    count = len(x)
    inv_std = 1 / np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=0) / max(count - 1, 1) + eps)
    x_hat = (x - x.mean(axis=0)) * inv_std
    return gamma * x_hat + beta, {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma, "divisor": max(count - 1, 1)}


def _unbiased_backward(dy: Array, cache: Any) -> tuple[Array, Array, Array]:
    x_hat, inv_std, gamma = cache["x_hat"], cache["inv_std"], cache["gamma"]
    through_var = x_hat * (dy * x_hat).sum(axis=0) / cache["divisor"]
    return gamma * inv_std * (dy - dy.mean(axis=0) - through_var), (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def _centered_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    centered = x - x.mean(axis=0)
    return gamma * centered + beta, {"x_hat": centered, "inv_std": np.ones(x.shape[1]), "gamma": gamma}


def _centered_backward(dy: Array, cache: Any) -> tuple[Array, Array, Array]:
    return cache["gamma"] * (dy - dy.mean(axis=0)), (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)


def _of_batch_norm(dy: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Batch normalization's own gradient, which is wrong for every forward pass of this file."""
    x_hat = cache["x_hat"]
    dx = cache["gamma"] * cache["inv_std"] * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


OTHER_RIGHT = (
    Right("each sample normalized for itself", _sample_forward, normalize_backward),
    Right("variance with N - 1", _unbiased_forward, _unbiased_backward),
    Right("centered, not divided", _centered_forward, _centered_backward),
)
"""Right pairs."""

OTHER_WRONG = (
    Right("variance with N - 1, differentiated as if it had N", _unbiased_forward, _of_batch_norm),
    Right("centered, differentiated as if it were divided", _centered_forward, _of_batch_norm),
)
"""Wrong pairs: the formula that everybody knows, after another forward pass."""


def right_pairs() -> list[Pair]:
    """Every right pair that answers in double precision, of batch normalization and of other transforms."""
    kept = [program for program in RIGHT if program.name != "float32 inside"]
    return [(program.forward, program.backward) for program in (*kept, *OTHER_RIGHT)]


def wrong_pairs(*beliefs: str) -> list[Pair]:
    """The specimens with a right forward pass whose backward pass holds one of these beliefs.

    Raises
    ------
    LookupError
        If there is none for one of them.
    """
    found = [one for one in SPECIMENS if one.role == "backward" and one.belief in beliefs]
    missing = set(beliefs) - {one.belief for one in found}
    if missing:
        raise LookupError(f"No specimen's backward pass holds the belief {min(missing)}.")
    return [(one.forward, one.function) for one in found]
