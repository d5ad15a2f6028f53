"""What the transform's functions hand to one another and return, in NumPy."""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Cache(NamedTuple):
    """What the backward pass needs of the forward pass."""

    x_hat: Array
    inv_std: Array
    gamma: Array


class Gradients(NamedTuple):
    """Derivatives of the loss: dx has the shape of x; dgamma and dbeta are (C,)."""

    dx: Array
    dgamma: Array
    dbeta: Array


class Stages(NamedTuple):
    """Every intermediate gradient of the staged pass, in the order in which it is computed.

    `dmean` is the sum of its two parts, and `dx` the sum of its three paths.
    """

    dx_hat: Array
    dvar: Array
    dmean_direct: Array
    dmean_through_var: Array
    dmean: Array
    dx_direct: Array
    dx_through_var: Array
    dx_through_mean: Array
