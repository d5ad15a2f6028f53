"""What the transform's functions hand to one another and return, in PyTorch."""

from typing import NamedTuple

import torch

Array = torch.Tensor
"""The one name for a tensor in this package: the files of the two packages differ in little else."""


class Moments(NamedTuple):
    """Mean and biased variance (C,) of `count` values per channel.

    The order is that of `RunningStatistics.update(mean, var, count)`, so that `update(*moments)` reads well.
    """

    mean: Array
    var: Array
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here


class Cache(NamedTuple):
    """What the forward pass has computed: the first three are what the backward pass needs.

    x_hat has the shape of x; inv_std, gamma, mean and var are (C,). In inference, mean and var are those given.
    """

    x_hat: Array
    inv_std: Array
    gamma: Array
    mean: Array
    var: Array
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here

    @property
    def moments(self) -> Moments:
        """Mean, biased variance and count, which update the running statistics."""
        return Moments(self.mean, self.var, self.count)


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
