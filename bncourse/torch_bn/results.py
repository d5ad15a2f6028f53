"""What the transform's functions hand to one another and return, in PyTorch."""

from typing import NamedTuple

import torch


class Cache(NamedTuple):
    """What the backward pass needs of the forward pass."""

    x_hat: torch.Tensor
    inv_std: torch.Tensor
    gamma: torch.Tensor


class Gradients(NamedTuple):
    """Derivatives of the loss: dx has the shape of x; dgamma and dbeta are (C,)."""

    dx: torch.Tensor
    dgamma: torch.Tensor
    dbeta: torch.Tensor


class Stages(NamedTuple):
    """Every intermediate gradient of the staged pass, in the order in which it is computed.

    `dmean` is the sum of its two parts, and `dx` the sum of its three paths.
    """

    dx_hat: torch.Tensor
    dvar: torch.Tensor
    dmean_direct: torch.Tensor
    dmean_through_var: torch.Tensor
    dmean: torch.Tensor
    dx_direct: torch.Tensor
    dx_through_var: torch.Tensor
    dx_through_mean: torch.Tensor
