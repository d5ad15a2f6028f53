r"""What batch norm makes a layer's weights forget: their scale. In NumPy.

:math:`BN((a W) u) = BN(W u)` for a > 0 (section 3.3), so the loss does not see the size of W. Three things follow: the
gradient stands at right angles to the weights; it shrinks as 1 / a; and a step of gradient descent turns the weights by
:math:`lr / \|w\|^2` per unit of gradient at unit size: that quotient is the learning rate that counts.

All this holds exactly at eps = 0, else as far as the variance of W u is large against eps. Weights have PyTorch's
layout, one output after another on the first axis; an output is what batch norm calls a channel.
"""

from typing import Any

import numpy as np

from bncourse.conventions import check_like
from bncourse.shapes import Inexact
from bncourse.validation.arguments import check_floating
from bncourse.validation.extensions import check_decay, check_positive, check_scale

Array = np.ndarray[Any, np.dtype[Any]]


def weight_norms(weight: Inexact[np.ndarray, "o *rest"]) -> Inexact[np.ndarray, " o"]:
    """Length of the weight vector of each output.

    >>> weight_norms(np.array([[3.0, 4.0], [0.0, 2.0]])).tolist()
    [5.0, 2.0]
    """
    check_floating("weight", weight)
    rows = weight.reshape(weight.shape[0], -1)
    norms: Array = np.sqrt((rows * rows).sum(axis=1))
    return norms


def rescale_weights(
    weight: Inexact[np.ndarray, "o *rest"], scale: float | Inexact[np.ndarray, " o"]
) -> Inexact[np.ndarray, "o *rest"]:
    """Multiply the weights of each output by a positive number: what batch norm after the layer does not see.

    A negative number is seen: it turns the sign of x_hat.

    Equation :eq:`eq-scale-invariance`, chapter "Invariances and the effective learning rate".

    Parameters
    ----------
    weight : array of shape (O, ...)
    scale : float or array of shape (O,)
        One number for all outputs, or one for each.

    Returns
    -------
    array of shape (O, ...)

    Raises
    ------
    ValueError
        If a scale is not positive, or there is not one for each output.

    Examples
    --------
    >>> rescale_weights(np.array([[3.0, 4.0], [0.0, 2.0]]), np.array([2.0, 0.5])).tolist()
    [[6.0, 8.0], [0.0, 1.0]]
    """
    check_floating("weight", weight)
    factors = np.asarray(scale, dtype=weight.dtype)
    check_scale(factors.shape, weight.shape, bool((factors > 0).all()))
    rows: Array = weight.reshape(weight.shape[0], -1) * factors.reshape(-1, 1)
    return rows.reshape(weight.shape)


def effective_learning_rate(lr: float, weight: Inexact[np.ndarray, "o *rest"]) -> Inexact[np.ndarray, " o"]:
    r"""Learning rate of each output's direction: :math:`lr / \|w\|^2`.

    Gradient descent with `lr` on weights w turns them as it would `w / |w|` with this rate (to first order). As the
    gradient is orthogonal to w, each step makes w longer and the rate smaller, unless weight decay holds against it.

    Equation :eq:`eq-effective-rate`, chapter "Invariances and the effective learning rate".

    Raises
    ------
    ValueError
        If an output has no weight other than zero.

    Examples
    --------
    >>> effective_learning_rate(0.5, np.array([[4.0, 0.0], [0.0, 2.0]])).tolist()
    [0.03125, 0.125]
    """
    norms = weight_norms(weight)
    check_positive("the norm of an output's weights", bool((norms > 0).all()))
    rate: Array = lr / (norms * norms)
    return rate


def radial_gradient(
    weight: Inexact[np.ndarray, "o *rest"], dweight: Inexact[np.ndarray, "o *rest"]
) -> Inexact[np.ndarray, " o"]:
    r"""Part of the gradient along the weights, as a cosine: zero where the loss does not see their scale.

    Equation :eq:`eq-right-angle`, chapter "Invariances and the effective learning rate".

    Raises
    ------
    ValueError
        If dweight does not have the shape of weight, or an output has no weight or no gradient other than zero.

    Examples
    --------
    >>> radial_gradient(np.array([[3.0, 4.0], [0.0, 2.0]]), np.array([[4.0, -3.0], [0.0, -1.0]])).tolist()
    [0.0, -1.0]
    """
    check_like("dweight", dweight.shape, "weight", weight.shape)
    lengths = weight_norms(weight) * weight_norms(dweight)
    check_positive("the norm of an output's weights times that of its gradient", bool((lengths > 0).all()))
    cosine: Array = (weight * dweight).reshape(weight.shape[0], -1).sum(axis=1) / lengths
    return cosine


def equilibrium_norm(lr: float, weight_decay: float, gradient_norm: float) -> float:
    r"""Length of scale-invariant weights at which growth by gradient steps and weight decay are in balance.

    With the gradient's length :math:`g` at unit weights it is :math:`g / \|w\|` at w, and orthogonal to it, so a step
    :math:`w \leftarrow (1 - lr\, \lambda)\, w - lr\, dw` leaves the length as it is where

    .. math:: \|w\|^4 = \frac{lr\, g^2}{\lambda\, (2 - lr\, \lambda)} ,

    and there the effective learning rate is :math:`\sqrt{lr\, \lambda\, (2 - lr\, \lambda)} / g`: weight decay does not
    make such weights small, it sets how fast they turn.

    Equation :eq:`eq-balance`, chapter "Invariances and the effective learning rate".

    Parameters
    ----------
    lr, weight_decay, gradient_norm : float
        Learning rate, the factor of w in its step, and the gradient's length at weights of length 1.

    Raises
    ------
    ValueError
        If one is not positive, or lr * weight_decay is 2 or more, where the decay itself diverges.

    Examples
    --------
    >>> equilibrium_norm(1.0, 1.0, 4.0)
    2.0
    """
    check_decay(lr, weight_decay, gradient_norm)
    return float((lr * gradient_norm**2 / (weight_decay * (2.0 - lr * weight_decay))) ** 0.25)
