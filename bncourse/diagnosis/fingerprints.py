"""Wrong gradients that no weighing of the three paths gives: sums lost, taken too early, or over the wrong axis."""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Arrays(NamedTuple):
    """What a backward pass is made of, in rows of values and columns that share a mean."""

    dy: Array
    x: Array
    y: Array
    x_hat: Array
    inv_std: Array
    gain: Array
    """What x_hat is multiplied by."""


def candidates(arrays: Arrays) -> list[tuple[str, Array]]:
    """What each such belief makes of dx; the same ones in the same order for every probe."""
    dy, x, y, x_hat, s, gain = arrays
    count, sets = dy.shape
    inside = gain * dy
    mean, var = inside.mean(axis=0), x_hat * (inside * x_hat).mean(axis=0)
    bare, bare_var = dy.mean(axis=0), x_hat * (dy * x_hat).mean(axis=0)
    own = x_hat * inside * x_hat
    early = x_hat * x_hat * mean
    units = x * s
    centered = x_hat / s
    found = [
        ("batch-sum-missing", s * (inside - inside / count - own / count)),
        ("batch-sum-missing", s * (inside - mean - own / count)),
        ("batch-sum-missing", s * (inside - inside / count - var)),
        ("batch-sum-missing", s * (inside - mean - own)),
        ("batch-sum-missing", s * (-own)),
        ("batch-sum-missing", s * (inside - own)),
        ("batch-sum-missing", s * (inside - own / count)),
        # walked through the graph, the path through the mean takes the mean of the variance's path with it
        ("batch-sum-missing", s * (inside - mean - own / count + own.mean(axis=0) / count)),
        ("batch-sum-missing", s * (inside - mean - own + own.mean(axis=0))),
        ("summed-too-early", s * (inside - mean - early)),
        ("summed-too-early", s * (inside - mean - early * count)),
        ("summed-too-early", s * (inside - mean - early + early.mean(axis=0))),
        ("summed-too-early", s * (inside - mean - x_hat * mean * x_hat.mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - units * (inside * units).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - units * (inside * x_hat).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - x_hat * (inside * units).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - x * (inside * x).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - x * (inside * x_hat).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - x_hat * (inside * x).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - y * (inside * y).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - y * (dy * y).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - x_hat * (inside * y).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - x * s * s * (inside * centered).mean(axis=0))),
        ("x-for-x-hat", s * (inside - mean - centered * s * s * (inside * x).mean(axis=0))),
        ("deviation-lost", s * (inside - mean - s * (inside * x_hat).mean(axis=0))),
        ("deviation-lost", s * (inside - mean - (inside * x_hat).mean(axis=0))),
        ("gamma-partial", s * (inside - bare - var)),
        ("gamma-partial", s * (inside - mean - bare_var)),
        ("gamma-partial", s * (inside - bare - bare_var)),
        ("gamma-partial", s * (dy - mean - var)),
        ("gamma-partial", s * (dy - bare - var)),
        ("gamma-partial", s * (dy - mean - bare_var)),
    ]
    for divisor in (1.0, count / sets, 1 / sets):
        feature_mean = inside.mean(axis=1, keepdims=True) / divisor
        feature_var = x_hat * (inside * x_hat).mean(axis=1, keepdims=True) / divisor
        found.append(("backward-wrong-axis", s * (inside - feature_mean - feature_var)))
        found.append(("backward-wrong-axis", s * (inside - feature_mean - var)))
        found.append(("backward-wrong-axis", s * (inside - mean - feature_var)))
        pulled = dy.mean(axis=1, keepdims=True) / divisor, x_hat * (dy * x_hat).mean(axis=1, keepdims=True) / divisor
        found.append(("backward-wrong-axis", gain * s * (dy - pulled[0] - pulled[1])))
    for divisor in (1.0, 1 / sets, 1 / dy.size):
        total, total_var = dy.mean() / divisor, x_hat * (dy * x_hat).mean() / divisor
        g = gain * s
        var_outside = x_hat * (dy * x_hat).mean(axis=0)
        found.append(("backward-total-sum", g * (dy - total - total_var)))
        found.append(("backward-total-sum", g * (dy - total - var_outside)))
        found.append(("backward-total-sum", g * (dy - dy.mean(axis=0) - total_var)))
        total, total_var = inside.mean() / divisor, x_hat * (inside * x_hat).mean() / divisor
        found.append(("backward-total-sum", s * (inside - total - total_var)))
        found.append(("backward-total-sum", s * (inside - total - var)))
        found.append(("backward-total-sum", s * (inside - mean - total_var)))
    return found


def gammas(arrays: Arrays) -> list[tuple[str, Arrays, Array]]:
    """What may happen to gamma where it differs inside a set: the belief, the arrays then, and what stands in front."""
    one = np.ones_like(arrays.dy)
    gain = np.broadcast_to(arrays.gain, arrays.dy.shape)
    return [
        ("", arrays, one),
        ("dx-gamma-missing", arrays._replace(gain=one), one),
        ("dx-gamma-doubled", arrays._replace(gain=gain * gain), one),
        ("dx-gamma-one-plus", arrays._replace(gain=1 + gain), one),
        ("gamma-pulled-out", arrays._replace(gain=one), gain),
    ]
