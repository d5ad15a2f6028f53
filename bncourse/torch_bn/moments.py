"""Mean and variance of a batch, and how to join those of several batches exactly, in PyTorch.

Two results stand on `merge_moments`: the exact statistics of a whole training set, taken batch by batch, and
the synchronized version, in which each process has seen a part of the batch.
"""

from typing import NamedTuple

import torch

from bncourse.conventions import channel_shape, reduction_axes, values_per_channel
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_arguments


class Moments(NamedTuple):
    """Mean and biased variance (C,) of `count` values per channel.

    The order is that of `RunningStatistics.update(mean, var, count)`, so that `update(*moments)` reads well.
    """

    mean: torch.Tensor
    var: torch.Tensor
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here


def batch_moments(x: Inexact[torch.Tensor, "n c *spatial"]) -> Moments:
    r"""Mean and biased variance of each channel.

    The textbook's one-pass :math:`\overline{x^2} - \bar x^2` subtracts two large numbers where the mean is large
    against the deviation. Here a number near the mean is subtracted first: the mean of the first sixteenth of the
    samples, which is at most :math:`\sqrt{15}` deviations away. Then the formula loses no more than four bits, and
    x is read once.

    Parameters
    ----------
    x : tensor of shape (N, C, ...)
        float16 and bfloat16 are summed in float32, as PyTorch does.

    Returns
    -------
    Moments
        In float32 for float16 and bfloat16 input, else in the dtype of x.

    Raises
    ------
    ValueError
        If x has fewer than two axes or holds no values.

    Examples
    --------
    >>> batch_moments(torch.tensor([[1.0], [3.0]]))
    Moments(mean=tensor([2.]), var=tensor([1.]), count=2)
    """
    check_arguments(x, training=False)
    x = widened(x)
    axes = reduction_axes(x.ndim)
    center = x[: -(-len(x) // 16)].mean(dim=axes)
    centered = x - center.reshape(channel_shape(x.shape))
    mean = centered.mean(dim=axes)
    square = (centered * centered).mean(dim=axes)
    return Moments(center + mean, square - torch.minimum(square, mean * mean), values_per_channel(x.shape))


def widened(x: torch.Tensor) -> torch.Tensor:
    """float32 for float16 and bfloat16, in which sums would overflow or lose digits; any other tensor as it is."""
    return x.to(torch.float32) if x.dtype in (torch.float16, torch.bfloat16) else x


def merge_moments(*parts: Moments | tuple[torch.Tensor, torch.Tensor, int]) -> Moments:
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

    >>> merge_moments((torch.tensor([2.0]), torch.tensor([1.0]), 2), (torch.tensor([8.0]), torch.tensor([0.0]), 2))
    Moments(mean=tensor([5.]), var=tensor([9.5000]), count=4)
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
