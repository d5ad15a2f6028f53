"""Mean and variance of a batch, and how to join those of several batches exactly, in PyTorch.

Two results stand on `merge_moments`: the exact statistics of a whole training set, taken batch by batch, and
the synchronized version, in which each process has seen a part of the batch. `center` and the sums are what the
equations of `functional` are written with: the care that finite precision asks for is here, so that it need not be
there.
"""

import torch

from bncourse.conventions import reduction_axes, values_per_channel
from bncourse.shapes import Inexact
from bncourse.torch_bn.results import Array, Moments
from bncourse.validation.arguments import check_arguments

__all__ = [
    "Moments",
    "batch_moments",
    "center",
    "center_over",
    "mean_over",
    "merge_moments",
    "narrowed",
    "sum_over",
    "widened",
]


def batch_moments(x: Inexact[Array, "n c *spatial"]) -> Moments:
    r"""Mean and biased variance of each channel.

    The textbook's one-pass :math:`\overline{x^2} - \bar x^2` subtracts two large numbers where the mean is large
    against the deviation. Here the mean is subtracted first, and squared is what is left (`center`).

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
    mean, centered = center(x)
    var = mean_over(reduction_axes(x.ndim), centered * centered)
    return Moments(mean, var, values_per_channel(x.shape))


def center(x: Array) -> tuple[Array, Array]:
    """Mean of each channel, (C,), and x minus that mean, both to full precision.

    A large mean is rounded to as many digits as its size leaves, so a little of it stays in `x - mean`: the same little
    in every value, which is the mean of what is left. It is taken out as well.

    >>> mean, centered = center(torch.tensor([[1.0], [3.0]]))
    >>> mean.tolist(), centered.tolist()
    ([2.0], [[-1.0], [1.0]])
    """
    mean, centered = center_over(reduction_axes(x.ndim), x)
    return mean.reshape(-1), centered


def center_over(axes: tuple[int, ...], x: Array) -> tuple[Array, Array]:
    """The same over any axes; they stay in the mean, with length 1."""
    x = widened(x)
    mean = mean_over(axes, x, keepdims=True)
    centered = x - mean
    rest = mean_over(axes, centered, keepdims=True)
    return mean + rest, centered - rest


def mean_over(axes: tuple[int, ...], values: Array, *, keepdims: bool = False) -> Array:
    """Mean over these axes; PyTorch adds up in pieces, so that a long column of float32 loses nothing."""
    return widened(values).mean(dim=axes, keepdim=keepdims)


def sum_over(axes: tuple[int, ...], values: Array, *, keepdims: bool = False) -> Array:
    """Sum over these axes; PyTorch adds up in pieces, so that a long column of float32 loses nothing."""
    return widened(values).sum(dim=axes, keepdim=keepdims)


def widened(x: Array) -> Array:
    """float32 for float16 and bfloat16, in which sums would overflow or lose digits; any other tensor as it is."""
    return x.to(torch.float32) if x.dtype in (torch.float16, torch.bfloat16) else x


def narrowed(result: Array, argument: Array) -> Array:
    """`result` in the dtype of the argument to which it belongs."""
    return result.to(argument.dtype)


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
