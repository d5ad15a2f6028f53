"""Local response normalization by hand in NumPy, for the networks with which batch norm was compared.

It divides each value by a power of the activity of its neighboring channels at the same place: no mean, no
batch, nothing learned. The paper removes it from Inception once batch norm is there (section 4.2.1).
"""

from typing import Any, NamedTuple

import numpy as np

from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_arguments, check_gradient
from bncourse.validation.extensions import check_window

Array = np.ndarray[Any, np.dtype[Any]]


class ResponseCache(NamedTuple):
    """What the backward pass needs of the forward pass."""

    x: Array
    scale: Array
    size: int
    alpha: float
    power: float


def window_sum(x: Inexact[np.ndarray, "n c *spatial"], before: int, after: int) -> Inexact[np.ndarray, "n c *spatial"]:
    """Sum over channels c - before ... c + after, as far as they exist.

    >>> window_sum(np.array([[1.0, 10.0, 100.0, 1000.0]]), 1, 1).tolist()
    [[11.0, 111.0, 1110.0, 1100.0]]
    """
    channels = x.shape[1]
    total = np.zeros_like(x)
    for offset in range(-min(before, channels - 1), min(after, channels - 1) + 1):
        low, high = max(0, -offset), min(channels, channels - offset)
        total[:, low:high] += x[:, low + offset : high + offset]
    return total


def local_response_norm_forward(
    x: Inexact[np.ndarray, "n c *spatial"], *, size: int = 5, alpha: float = 1e-4, power: float = 0.75, k: float = 1.0
) -> tuple[Inexact[np.ndarray, "n c *spatial"], ResponseCache]:
    r"""Divide by :math:`s^{power}`, with :math:`s = k + \frac{\alpha}{size} \sum x^2` over `size` channels.

    As in PyTorch, `alpha` is divided by the window's size (AlexNet's 1e-4 was not: pass 5e-4 for it, with k = 2);
    channels beyond the ends count as 0; a window of even size reaches one channel further down than up.

    Parameters
    ----------
    x : array of shape (N, C, ...)
    size : int
        Channels in the window.
    alpha, power, k : float
        The paper's alpha and beta (here `power`, since beta is a shift everywhere else), and the constant k.

    Returns
    -------
    y : array of shape (N, C, ...)
    cache : ResponseCache
        For `local_response_norm_backward`.

    Raises
    ------
    ValueError
        If x has no channel axis or no values, or `size` is less than 1.

    Examples
    --------
    >>> y, cache = local_response_norm_forward(np.array([[0.0, 2.0]]), size=3, alpha=3.0, power=1.0, k=0.0)
    >>> y.tolist()
    [[0.0, 0.5]]
    """
    check_arguments(x, training=False)
    check_window(size)
    squares = window_sum(x * x, size // 2, (size - 1) // 2)
    scale = k + (alpha / size) * squares
    y = x * scale**-power
    return y, ResponseCache(x, scale, size, alpha, power)


def local_response_norm_backward(
    dy: Inexact[np.ndarray, "n c *spatial"], cache: ResponseCache
) -> tuple[Inexact[np.ndarray, "n c *spatial"]]:
    r"""Backward pass: the direct path, minus the path through every window in which the channel takes part.

    .. math:: dx_c = dy_c\, s_c^{-p} - \frac{2 p \alpha}{size}\, x_c \sum_{i:\, c \in window(i)} dy_i\, x_i\, s_i^{-p-1}

    Parameters
    ----------
    dy : array of shape (N, C, ...)
    cache : ResponseCache
        From `local_response_norm_forward`.

    Returns
    -------
    dx : tuple of one array of shape (N, C, ...)

    Raises
    ------
    ValueError
        If dy does not have the shape of the forward pass's output.
    """
    x, scale, size, alpha, power = cache
    check_gradient(dy, x)
    dscale = -power * dy * x * scale ** (-power - 1)
    # the transpose of a window that reaches `size // 2` down reaches `size // 2` up
    dsquares = (alpha / size) * window_sum(dscale, (size - 1) // 2, size // 2)
    dx = dy * scale**-power + 2 * x * dsquares
    return (dx,)
