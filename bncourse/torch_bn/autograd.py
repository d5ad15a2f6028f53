"""The hand-written gradient as a node of PyTorch's own graph."""

from typing import Any, NamedTuple

import torch

from bncourse.conventions import EPS, channel_shape, reduction_axes, values_per_channel
from bncourse.torch_bn.functional import (
    Cache,
    Gradients,
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference,
)
from bncourse.torch_bn.moments import Moments, batch_moments, widened
from bncourse.validation.arguments import check_arguments

BLOCK = 1 << 17
"""Values in a piece of a large matrix: 512 KiB of float32, so that a few pieces fit into a second-level cache."""


class BatchNormFunction(torch.autograd.Function):
    """`batch_norm_forward` whose derivative, for autograd, is `batch_norm_backward`.

    `BatchNormFunction.apply(x, gamma, beta, eps)` returns y, and the batch's mean and biased variance for running
    statistics. The backward pass can itself be differentiated: where autograd asks for a graph of it
    (`create_graph=True`), it is built from the inputs with differentiable operations.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float = EPS
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Normalize, and save what backward needs."""
        check_arguments(x, training=True, eps=eps, gamma=gamma, beta=beta)
        ctx.eps = eps
        ctx.in_few_passes = x.is_cpu and not torch.compiler.is_compiling()
        saved: tuple[torch.Tensor, ...]
        if ctx.in_few_passes:
            y, saved, moments = forward_in_few_passes(x, gamma, beta, eps)
        else:
            moments = batch_moments(x)
            y, saved = batch_norm_inference(x, gamma, beta, moments.mean, moments.var, eps=eps)
        ctx.save_for_backward(x, gamma, beta, *saved)
        ctx.mark_non_differentiable(moments.mean, moments.var)
        ctx.set_materialize_grads(False)
        return y, moments.mean, moments.var

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        """Closed form."""
        dy, _, _ = grads
        if dy is None:
            return None, None, None, None
        x, gamma, beta, *saved = ctx.saved_tensors
        if torch.is_grad_enabled():
            # A derivative of this derivative is wanted: x_hat must be a function of x again.
            _, cache = batch_norm_forward(x, gamma, beta, eps=ctx.eps)
            return *batch_norm_backward(dy, cache), None
        if ctx.in_few_passes:
            return *backward_in_few_passes(dy, gamma, Normalizer(*saved)), None
        return *batch_norm_backward(dy, Cache(*saved)), None


class Normalizer(NamedTuple):
    """What makes x_hat of x: (centered - mean) * inv_std.

    Storing x_hat, and fetching it again, would take longer than to compute it twice. `centered` is x itself; where
    x's mean is large against its deviation, it is x less its mean, and `mean` is what rounding has left.
    """

    centered: torch.Tensor
    mean: torch.Tensor
    inv_std: torch.Tensor


def forward_in_few_passes(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float
) -> tuple[torch.Tensor, Normalizer, Moments]:
    """`batch_norm_forward`, and the moments, in as few operations on whole tensors as there can be.

    Each of them fetches and stores a tensor, which takes longer than its arithmetic.
    """
    centered = widened(x)
    mean, var = moments_in_one_pass(centered)
    moments = Moments(mean, var, values_per_channel(x.shape))
    if not (mean * mean <= var).all():  # then var is the small difference of large numbers, or not finite
        center, centered = mean, centered - beside(x, mean)
        mean, var = moments_in_one_pass(centered)
        var = var.clamp_(min=0)
        moments = Moments(mean + center, var, moments.count)
    inv_std = torch.rsqrt(var + eps)
    # y = gamma * x_hat + beta, sorted by x and 1
    of_x = gamma * inv_std
    y = multiply_and_add(centered, of_x, torch.addcmul(beta, of_x, mean, value=-1))
    return y.type_as(x), Normalizer(centered, mean, inv_std), moments


def moments_in_one_pass(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and biased variance, mean(x^2) - mean(x)^2: right where the mean is not large against the deviation."""
    if x.ndim > 2 and x.is_contiguous():  # the norm of a row needs no second tensor for the squares
        axes = reduction_axes(x.ndim)
        sums, squares = x.sum(dim=axes), torch.linalg.vector_norm(x, dim=axes[1:]).square().sum(dim=0)
    else:
        sums, squares = sums_of_products(x, x)
    count = values_per_channel(x.shape)
    mean = sums / count
    return mean, torch.addcmul(squares / count, mean, mean, value=-1)


def sums_of_products(x: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums of x, and of x * other, channel by channel.

    A large matrix is taken piece by piece: the products of a piece stay in the cache until they are added up. The last
    piece comes first, so that the cache then holds the front of x, with which the next operation begins.
    """
    axes = reduction_axes(x.ndim)
    if x.ndim > 2 or x.numel() <= 2 * BLOCK:
        return x.sum(dim=axes), (x * other).sum(dim=axes)
    sums, products = x.new_zeros(2, x.shape[1])
    rows = -(-BLOCK // x.shape[1])
    for start in reversed(range(0, len(x), rows)):
        x_, other_ = x[start : start + rows], other[start : start + rows]
        products += (x_ * other_).sum(dim=0)
        sums += x_.sum(dim=0)
    return sums, products


def multiply_and_add(x: torch.Tensor, factor: torch.Tensor, summand: torch.Tensor) -> torch.Tensor:
    """Return x * factor + summand, channel by channel."""
    if x.ndim == 2:
        return torch.addcmul(summand, x, factor)
    # Where the channels are not last, two operations of two operands are faster than one of three.
    return (x * beside(x, factor)).add_(beside(x, summand))


def beside(x: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """`vector` (C,) in the shape that broadcasts against x: its own, where the channels are last."""
    return vector if x.ndim == 2 else vector.reshape(channel_shape(x.shape))


def backward_in_few_passes(dy: torch.Tensor, gamma: torch.Tensor, normalizer: Normalizer) -> Gradients:
    """`batch_norm_backward` in few operations on whole tensors."""
    x, mean, inv_std = normalizer
    wide, count = widened(dy), values_per_channel(x.shape)
    dbeta, dy_x = sums_of_products(wide, x)
    dgamma = torch.addcmul(dy_x, mean, dbeta, value=-1) * inv_std
    # dx = gamma * inv_std * (dy - mean(dy) - x_hat * mean(dy * x_hat)), sorted by dy, x and 1
    of_dy = gamma * inv_std
    share = of_dy * (-1 / count)
    of_x = share * inv_std * dgamma
    of_one = torch.addcmul(share * dbeta, of_x, mean, value=-1)
    dx = multiply_and_add(x, of_x, of_one).addcmul_(wide, beside(x, of_dy))
    return Gradients(dx.type_as(dy), dgamma.type_as(gamma), dbeta.type_as(gamma))
