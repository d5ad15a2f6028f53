"""Folding batch norm into the layer before it, in NumPy.

After training, batch norm is an affine map with constant coefficients (Algorithm 2 of the paper, line 11), and
an affine map after a linear layer or a convolution is a linear layer or a convolution. Inference then pays
nothing for it. The order matters: batch norm *before* a convolution with zero padding cannot be folded into
it, because the padding is added after the shift.
"""

from typing import Any, NamedTuple

import numpy as np

from bncourse.conventions import EPS, check_eps
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_floating
from bncourse.validation.extensions import check_fold_groups, check_outputs

Array = np.ndarray[Any, np.dtype[Any]]


class Affine(NamedTuple):
    """Inference as one affine map: y = scale * x + shift, each of shape (C,)."""

    scale: Array
    shift: Array


class Folded(NamedTuple):
    """Weight and bias of the one layer that does the work of two."""

    weight: Array
    bias: Array


def inference_affine(
    gamma: Inexact[np.ndarray, " c"],
    beta: Inexact[np.ndarray, " c"],
    running_mean: Inexact[np.ndarray, " c"],
    running_var: Inexact[np.ndarray, " c"],
    *,
    eps: float = EPS,
) -> Affine:
    r"""Scale :math:`\gamma / \sqrt{var + \epsilon}` and shift :math:`\beta - scale \cdot mean`: Algorithm 2, line 11.

    >>> inference_affine(np.array([6.0]), np.array([1.0]), np.array([3.0]), np.array([4.0]), eps=0.0)
    Affine(scale=array([3.]), shift=array([-8.]))
    """
    check_eps(eps)
    scale = gamma / np.sqrt(running_var + eps)
    return Affine(scale, beta - scale * running_mean)


def fold_batch_norm(
    weight: Inexact[np.ndarray, "..."],
    bias: Inexact[np.ndarray, " c"] | None,
    gamma: Inexact[np.ndarray, " c"] | None,
    beta: Inexact[np.ndarray, " c"] | None,
    running_mean: Inexact[np.ndarray, " c"],
    running_var: Inexact[np.ndarray, " c"],
    *,
    eps: float = EPS,
    transposed: bool = False,
    groups: int = 1,
) -> Folded:
    r"""Weight and bias that compute layer and batch norm in one: :math:`W' = s W`, :math:`b' = s (b - mean) + \beta`.

    Each output's weights are multiplied by that output's :math:`s = \gamma / \sqrt{var + \epsilon}`.

    Equation :eq:`eq-folding`, chapter "Modes and folding".

    Parameters
    ----------
    weight : array of shape (out, in, ...), or (in, out / groups, ...) if transposed
        Of a linear layer or a convolution in any number of dimensions, in PyTorch's layout.
    bias : array of shape (out,) or None
    gamma, beta : arrays of shape (out,) or None
        None for batch norm without parameters.
    running_mean, running_var : arrays of shape (out,)
    eps : float
        Added to the variance, inside the root.
    transposed : bool
        The weight is that of a transposed convolution.
    groups : int
        Groups of a transposed convolution; elsewhere the layout does not depend on them.

    Returns
    -------
    Folded
        weight of the same shape, bias of shape (out,).

    Raises
    ------
    ValueError
        If a vector has not one value per output, groups do not divide the inputs, or eps is negative.

    Examples
    --------
    The layer 5 x + 7, then batch norm with mean 3, variance 4, gamma 6 and beta 1, is 3 (5 x + 7 - 3) + 1.

    >>> one = np.array([1.0])
    >>> fold_batch_norm(np.array([[5.0]]), 7 * one, 6 * one, one, 3 * one, 4 * one, eps=0.0)
    Folded(weight=array([[15.]]), bias=array([13.]))
    """
    check_floating("weight", weight)
    if transposed:
        check_fold_groups(groups, weight.shape)
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    vectors = {"bias": bias, "gamma": gamma, "beta": beta, "running_mean": running_mean, "running_var": running_var}
    for name, vector in vectors.items():
        if vector is not None:
            check_floating(name, vector)
            check_outputs(name, vector.shape, outputs, weight.shape)
    check_eps(eps)
    inv_std = 1.0 / np.sqrt(running_var + eps)
    scale = inv_std if gamma is None else gamma * inv_std
    centered = -running_mean if bias is None else bias - running_mean
    shift = centered * scale if beta is None else centered * scale + beta
    if transposed:
        # (in, out/groups, ...) seen as (groups, in/groups, out/groups, everything else)
        grouped = weight.reshape(groups, weight.shape[0] // groups, weight.shape[1], -1)
        folded = (grouped * scale.reshape(groups, 1, weight.shape[1], 1)).reshape(weight.shape)
    else:
        folded = (weight.reshape(outputs, -1) * scale.reshape(outputs, 1)).reshape(weight.shape)
    return Folded(folded, shift)
