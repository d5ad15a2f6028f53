"""The conventions of the course, each in one place.

This module imports nothing: neither NumPy nor PyTorch, nor any other part of the package. The twins `numpy_bn` and
`torch_bn` take their defaults, their axes and the wording of their errors from here, so that a shape
mistake reads the same in both.
"""

import math
from collections.abc import Sequence

EPS = 1e-5
"""Added to the variance, inside the root (Algorithm 1 of the paper; PyTorch's default)."""

MOMENTUM = 0.1
"""Weight of the *new* value in a running statistic (PyTorch's convention, and its default)."""

CHANNEL_AXIS = 1
"""Channels (features) lie on axis 1: (N, C), (N, C, L), (N, C, H, W), (N, C, D, H, W)."""

Shape = Sequence[int]


def reduction_axes(ndim: int) -> tuple[int, ...]:
    """Axes over which a channel's statistics are taken: every axis but the channels'.

    >>> reduction_axes(2), reduction_axes(4)
    ((0,), (0, 2, 3))
    """
    return tuple(axis for axis in range(ndim) if axis != CHANNEL_AXIS)


def channel_shape(shape: Shape) -> tuple[int, ...]:
    """Shape in which a per-channel vector (C,) broadcasts against an input of `shape`.

    >>> channel_shape((8, 3, 5, 5))
    (1, 3, 1, 1)
    """
    return tuple(size if axis == CHANNEL_AXIS else 1 for axis, size in enumerate(shape))


def values_per_channel(shape: Shape) -> int:
    """The count m of values that share one mean and one variance (m' = m p q for feature maps, section 3.2).

    >>> values_per_channel((8, 3)), values_per_channel((8, 3, 5, 5))
    (8, 200)
    """
    return math.prod(shape[:CHANNEL_AXIS]) * math.prod(shape[CHANNEL_AXIS + 1 :])


def check_input(shape: Shape, *, training: bool) -> None:
    """Refuse an input whose channels or batch cannot be normalized.

    Raises
    ------
    ValueError
        If `shape` has fewer than two axes, has no values, or, in training, one value per channel.
    """
    if len(shape) < 2:
        raise ValueError(
            f"x has shape {tuple(shape)}, but channels are expected on axis 1. Expected (N, C) or "
            "(N, C, ...). For one sample use x[None, :]; for one feature use x[:, None]."
        )
    if math.prod(shape) == 0:
        raise ValueError(
            f"x has shape {tuple(shape)}, which holds no values. Expected at least one sample and one "
            "channel. Is the last batch of your loader empty?"
        )
    if training and values_per_channel(shape) == 1:
        raise ValueError(
            f"x has shape {tuple(shape)}: one value per channel, whose variance is 0 and whose normalized "
            "value is 0 whatever x is. Expected more than one in training. Use a larger batch, or "
            "batch_norm_inference with running statistics."
        )


def check_per_channel(name: str, shape: Shape, x_shape: Shape) -> None:
    """Refuse a parameter or statistic that does not hold one value per channel of x.

    Raises
    ------
    ValueError
        Naming the argument, its shape, the expected shape, and the usual cause.
    """
    channels = x_shape[CHANNEL_AXIS]
    if tuple(shape) == (channels,):
        return
    hint = ""
    if tuple(shape) == (x_shape[-1],) and len(x_shape) > 2:
        hint = " Are channels last in your data?"
    elif math.prod(shape) == channels:
        hint = f" Use {name}.reshape({channels})."
    raise ValueError(
        f"{name} has shape {tuple(shape)}, but x has {channels} channels (axis 1 of shape "
        f"{tuple(x_shape)}). Expected ({channels},).{hint}"
    )


def check_like(name: str, shape: Shape, reference_name: str, reference_shape: Shape) -> None:
    """Refuse an array that must have the shape of another.

    Raises
    ------
    ValueError
        Naming both arrays and both shapes.
    """
    if tuple(shape) != tuple(reference_shape):
        raise ValueError(
            f"{name} has shape {tuple(shape)}, but {reference_name} has shape {tuple(reference_shape)}. "
            f"Expected the same. Does the cache come from another call?"
        )


def check_eps(eps: float) -> None:
    """Refuse an eps that is negative or not finite.

    Raises
    ------
    ValueError
        If `eps` is negative, NaN or infinite.
    """
    if not (0.0 <= eps < math.inf):
        raise ValueError(
            f"eps is {eps}, but it is added to the variance under the root. Expected a finite number, "
            f"0 or more; the default is {EPS}."
        )


def check_num_features(num_features: int) -> None:
    """Refuse a number of channels that is not a positive integer.

    Raises
    ------
    ValueError
        If `num_features` is less than 1.
    """
    if num_features < 1:
        raise ValueError(f"num_features is {num_features}. Expected the number of channels, 1 or more: x.shape[1].")


def check_momentum(momentum: float | None) -> None:
    """Refuse a momentum that is not a weight.

    Raises
    ------
    ValueError
        If `momentum` is neither None nor in [0, 1].
    """
    if momentum is not None and not (0.0 <= momentum <= 1.0):
        raise ValueError(
            f"momentum is {momentum}, but it is the weight of the new value in an average. Expected a number in "
            f"[0, 1], or None for the cumulative mean; the default is {MOMENTUM}."
        )


def check_statistics(mean_shape: Shape, var_shape: Shape, count: int, num_features: int) -> None:
    """Refuse moments of a batch that cannot enter a running statistic of `num_features` channels.

    Raises
    ------
    ValueError
        If a shape is not (num_features,), or `count` is less than 2.
    """
    for name, shape in (("mean", mean_shape), ("var", var_shape)):
        if tuple(shape) != (num_features,):
            raise ValueError(
                f"{name} has shape {tuple(shape)}, but the statistics are of {num_features} channels. "
                f"Expected ({num_features},): one value per channel."
            )
    if count < 2:
        raise ValueError(
            f"count is {count}, but the unbiased variance divides by count - 1. Expected 2 or more values per "
            "channel: N for (N, C), N * H * W for (N, C, H, W)."
        )
