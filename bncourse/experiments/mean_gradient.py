"""How large is the term that vanishes at the batch's own mean, where the center is another.

The graph of batch norm with the center as a free node: x_hat = (x - center) / sqrt(var + eps) with
var = mean((x - center)^2). At the batch's own mean the second part is zero; this file measures it elsewhere.
"""

from typing import Any, NamedTuple

import numpy as np

from bncourse.conventions import EPS

Array = np.ndarray[Any, Any]


class MeanGradient(NamedTuple):
    """The derivative of the loss with respect to the center, in its two parts."""

    direct: Array
    through_var: Array


def mean_gradient(x: Array, dy: Array, center: Array | float, *, eps: float = EPS) -> MeanGradient:
    """Differentiate the normalization with respect to its center, with gamma = 1.

    Parameters
    ----------
    x : array of shape (m,)
        The values of one channel.
    dy : array of shape (m,) or (probes, m)
        Upstream gradients, one a row.
    center : float
        What is subtracted, in the numerator and inside the variance.
    eps : float
        Added to the variance.

    Returns
    -------
    MeanGradient
        Both parts, one number for each row of dy.

    Examples
    --------
    About their own mean the deviations (-1, 1) sum to zero; about 1 they are (0, 2).

    >>> x, dy = np.array([1.0, 3.0]), np.array([0.0, 1.0])
    >>> [abs(round(float(mean_gradient(x, dy, center).through_var), 3)) for center in (2.0, 1.0)]
    [0.0, 0.707]
    """
    deviation = x - center
    var = (deviation * deviation).mean()
    inv_std = 1.0 / np.sqrt(var + eps)
    dvar = (dy * deviation).sum(axis=-1) * -0.5 * inv_std**3
    direct = -inv_std * dy.sum(axis=-1)
    through_var = dvar * -2.0 * deviation.mean()
    return MeanGradient(direct, through_var)


def share_through_variance(x: Array, center: float, *, eps: float = EPS, probes: int = 20_000, seed: int = 0) -> float:
    """Size of the part through the variance, relative to the direct part, over random upstream gradients.

    Parameters
    ----------
    x : array of shape (m,)
    center : float
    eps : float
    probes : int
        How many upstream gradients are drawn.
    seed : int

    Returns
    -------
    float
        Root mean square of the one over root mean square of the other.
    """
    dy = np.random.default_rng(seed).standard_normal((probes, x.size))
    direct, through_var = mean_gradient(x, dy, center, eps=eps)
    return float(np.sqrt((through_var**2).mean() / (direct**2).mean()))


def rounding_shares(dtype: Any, offsets: Array, *, count: int = 256, seeds: int = 20) -> Array:
    """The same share for the batch's own mean, where only rounding keeps it from zero.

    Everything is computed as written, in one precision, without the care that `batch_moments` takes.

    Parameters
    ----------
    dtype : NumPy dtype
        The precision.
    offsets : array
        Means of the batches; their standard deviation is 1.
    count : int
        Values in a batch.
    seeds : int
        Batches, and upstream gradients, for each offset.

    Returns
    -------
    array of the shape of offsets
    """
    shares = []
    for offset in offsets:
        direct, through_var = [], []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            x = (offset + rng.standard_normal(count)).astype(dtype)
            parts = mean_gradient(x, rng.standard_normal(count).astype(dtype), x.mean(), eps=0.0)
            direct.append(parts.direct)
            through_var.append(parts.through_var)
        sizes = [np.sqrt(np.mean(np.square(np.array(part, np.float64)))) for part in (through_var, direct)]
        shares.append(sizes[0] / sizes[1])
    return np.array(shares)
