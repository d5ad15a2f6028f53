"""Mean and variance of a batch, and how to join those of several batches exactly, in NumPy.

Two results stand on `merge_moments`: the exact statistics of a whole training set, taken batch by batch, and
the synchronized version, in which each process has seen a part of the batch.
"""

from typing import Any, NamedTuple

import numpy as np

from bncourse.conventions import CHANNEL_AXIS, values_per_channel
from bncourse.numpy_bn.blocks import add_dots, add_sums, blocks, blockwise, empty
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_arguments

Array = np.ndarray[Any, np.dtype[Any]]


class Moments(NamedTuple):
    """Mean and biased variance (C,) of `count` values per channel.

    The order is that of `RunningStatistics.update(mean, var, count)`, so that `update(*moments)` reads well.
    """

    mean: Array
    var: Array
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here


def batch_moments(x: Inexact[np.ndarray, "n c *spatial"]) -> Moments:
    r"""Mean and biased variance of each channel.

    The textbook's one-pass :math:`\overline{x^2} - \bar x^2` subtracts two large numbers where the mean is large
    against the deviation. There, and only there, the mean is subtracted first; what rounding has left in it, the
    mean of the deviations, is then found by the same formula, and taken out as well.

    Parameters
    ----------
    x : array of shape (N, C, ...)
        float16 is summed in float32, as PyTorch does.

    Returns
    -------
    Moments
        In float32 for float16 input, else in the dtype of x.

    Raises
    ------
    ValueError
        If x has fewer than two axes or holds no values.

    Examples
    --------
    >>> batch_moments(np.array([[1.0], [3.0]]))
    Moments(mean=array([2.]), var=array([1.]), count=2)
    """
    check_arguments(x, training=False)
    _, center, mean, var = blockwise(near_zero)(widened(x))
    return Moments(center + mean, var, values_per_channel(x.shape))


def near_zero(x: Array) -> tuple[Array, Array | float, Array, Array]:
    """`centered`, `center`, and the mean and variance of `centered`, whose mean is small against its deviation.

    `centered` is x itself and `center` is 0, or, where x's own mean is large, x less its mean, and that mean.
    """
    mean, var = moments_in_one_pass(x)
    if (mean * mean <= var).all():
        return x, 0.0, mean, var
    centered = empty(x.shape, x.dtype)
    for x_, centered_, mean_ in blocks([x, centered], [mean], backwards=True):
        np.subtract(x_, mean_, out=centered_)
    return centered, mean, *moments_in_one_pass(centered)


def moments_in_one_pass(x: Array) -> tuple[Array, Array]:
    """Mean and biased variance, mean(x^2) - mean(x)^2: right where the mean is not large against the deviation."""
    sums, squares = totals = np.zeros((2, x.shape[CHANNEL_AXIS]), x.dtype)
    for x_, sums_, squares_ in blocks([x], totals=[sums, squares]):
        add_dots(squares_, x_, x_)
        add_sums(sums_, x_)
    mean, square = totals / values_per_channel(x.shape)
    return mean, square - np.minimum(square, mean * mean)


def widened(x: Array) -> Array:
    """float32 for float16, in which sums would overflow and lose digits; any other array as it is."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def narrowed(result: Array, argument: Array) -> Array:
    """`result` in float16 where the argument to which it belongs is float16; any other as it is."""
    return result.astype(np.float16) if argument.dtype == np.float16 else result


def merge_moments(*parts: Moments | tuple[Array, Array, int]) -> Moments:
    r"""Moments of several groups of values joined into one, exactly, from their moments alone.

    Chan, Golub and LeVeque's formula: with :math:`\delta = \mu_b - \mu_a` and :math:`m = m_a + m_b`,

    .. math:: \mu = \mu_a + \delta\, \frac{m_b}{m}, \qquad
              \sigma^2 = \frac{m_a \sigma_a^2 + m_b \sigma_b^2}{m} + \delta^2\, \frac{m_a m_b}{m^2} .

    The average of the variances is not the variance of the whole: the spread between the means is missing.

    Equation :eq:`eq-total-variance`, chapter "Population statistics".

    Parameters
    ----------
    *parts : Moments
        Each (mean, var, count) with the biased variance. A part of count 0 changes nothing.

    Returns
    -------
    Moments
        Biased variance, and the sum of the counts.

    Raises
    ------
    ValueError
        If there is no part, a count is negative, or the counts sum to 0.

    Examples
    --------
    The values (1, 3) and (8, 8) together are (1, 3, 8, 8), with mean 5 and variance (16 + 4 + 9 + 9) / 4:

    >>> merge_moments((np.array([2.0]), np.array([1.0]), 2), (np.array([8.0]), np.array([0.0]), 2))
    Moments(mean=array([5.]), var=array([9.5]), count=4)
    """
    counts = [count for _, _, count in parts]
    if not counts or min(counts) < 0 or sum(counts) == 0:
        raise ValueError(
            f"the parts have the counts {counts}. Expected at least one part, no negative count, and a positive sum."
        )
    filled = [part for part in parts if part[2] > 0]
    mean, var, count = filled[0]
    for other_mean, other_var, other_count in filled[1:]:
        joined = count + other_count
        delta = other_mean - mean
        mean = mean + delta * (other_count / joined)
        var = (count * var + other_count * other_var) / joined + delta * delta * (count * other_count / joined**2)
        count = joined
    return Moments(mean, var, count)
