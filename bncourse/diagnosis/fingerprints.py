"""Wrong gradients that no weighing of the three paths gives: sums lost, taken too early, or over the wrong axis."""

from typing import Any

import numpy as np

from bncourse.diagnosis.paths import Move

Array = np.ndarray[Any, Any]


def candidates(dy: Array, x: Array, y: Array, x_hat: Array, inv_std: Array, gain: Array) -> list[tuple[str, Array]]:
    """What each such belief makes of dx; all arrays are rows of samples and columns of features.

    Parameters
    ----------
    dy, x, y, x_hat : arrays of shape (count, C)
        Upstream gradient, input, output and normalized values.
    inv_std, gain : arrays that broadcast against them
        One over the standard deviation, and what x_hat is multiplied by.
    """
    count, channels = dy.shape
    g = gain * inv_std
    mean = dy.mean(axis=0)
    var = x_hat * (dy * x_hat).mean(axis=0)
    own = x_hat * dy * x_hat
    early = x_hat * x_hat * mean
    units = x * inv_std
    found = [
        ("batch-sum-missing", g * (dy - dy / count - own / count)),
        ("batch-sum-missing", g * (dy - mean - own / count)),
        ("batch-sum-missing", g * (dy - dy / count - var)),
        ("batch-sum-missing", g * (dy - mean - own)),
        ("batch-sum-missing", g * (-own)),
        # walked through the graph, the path through the mean takes the mean of the variance's path with it
        ("batch-sum-missing", g * (dy - mean - own / count + own.mean(axis=0) / count)),
        ("batch-sum-missing", g * (dy - mean - own + own.mean(axis=0))),
        ("summed-too-early", g * (dy - mean - early)),
        ("summed-too-early", g * (dy - mean - early * count)),
        ("summed-too-early", g * (dy - mean - early + early.mean(axis=0))),
        ("x-for-x-hat", g * (dy - mean - units * (dy * units).mean(axis=0))),
        ("x-for-x-hat", g * (dy - mean - units * (dy * x_hat).mean(axis=0))),
        ("x-for-x-hat", g * (dy - mean - x_hat * (dy * units).mean(axis=0))),
        ("x-for-x-hat", g * (dy - mean - x * (dy * x).mean(axis=0))),
        ("x-for-x-hat", g * (dy - mean - x * (dy * x_hat).mean(axis=0))),
        ("x-for-x-hat", g * (dy - mean - x_hat * (dy * x).mean(axis=0))),
        ("x-for-x-hat", g * (dy - mean - y * (dy * y).mean(axis=0))),
    ]
    inside, upstream = gain * dy, np.broadcast_to(g, dy.shape)
    for divisor in (1.0, count / channels):
        feature_mean = inside.mean(axis=1, keepdims=True) / divisor
        feature_var = x_hat * (inside * x_hat).mean(axis=1, keepdims=True) / divisor
        found.append(("backward-wrong-axis", inv_std * (inside - feature_mean - feature_var)))
        pulled = dy.mean(axis=1, keepdims=True) / divisor, x_hat * (dy * x_hat).mean(axis=1, keepdims=True) / divisor
        found.append(("gamma-pulled-out", upstream * (dy - pulled[0] - pulled[1])))
    for divisor in (1.0, 1 / channels):
        total, total_var = dy.mean() / divisor, x_hat * (dy * x_hat).mean() / divisor
        found.append(("backward-total-sum", g * (dy - total - total_var)))
        found.append(("backward-total-sum", g * (dy - total - var)))
        found.append(("backward-total-sum", g * (dy - mean - total_var)))
        total, total_var = inside.mean() / divisor, x_hat * (inside * x_hat).mean() / divisor
        found.append(("backward-total-sum", inv_std * (inside - total - total_var)))
    return found


def explain(
    dx: Array, tried: list[tuple[str, Array]], known: list[Move], allowed: float, *, layer_norm: bool
) -> tuple[str, ...] | None:
    """Name the belief whose fingerprint is dx, up to a factor that some other belief of the span gives.

    Parameters
    ----------
    dx : array of shape (count, C)
        What the student's function returned.
    tried : list of (belief, array)
        From `candidates`.
    known : list of Move
        From `paths.moves`; those that scale all paths alike are tried as second beliefs.
    allowed : float
        Tolerance.
    layer_norm : bool
        Whether the forward pass normalizes over the features: then a sum over features is right, and only
        a gamma in front of it is wrong.
    """
    scalings = [("", np.ones(dx.shape[1]))]
    scalings += [(move.belief, move.factors[0]) for move in known if np.ptp(move.factors, axis=0).max() == 0]
    best: tuple[float, tuple[str, ...]] = (allowed, ())
    for belief, expected in tried:
        named = belief
        if belief == "gamma-pulled-out" and not layer_norm:
            named = "backward-wrong-axis"
        elif belief == "backward-wrong-axis" and layer_norm:
            continue
        size = np.abs(expected).max(axis=0) + 1e-300
        for other, factor in scalings:
            with np.errstate(all="ignore"):
                worst = float((np.abs(dx - factor * expected) / (np.abs(factor) * size)).max())
            if worst < best[0]:
                best = worst, (named, other) if other else (named,)
    return best[1] or None
