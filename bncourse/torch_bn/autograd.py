"""The hand-written gradient as a node of PyTorch's own graph."""

from typing import Any, NamedTuple

import torch

from bncourse.arguments import check_arguments
from bncourse.conventions import EPS, values_per_channel
from bncourse.torch_bn.blocks import add_sums, blocks, blockwise_pays
from bncourse.torch_bn.functional import (
    Cache,
    Gradients,
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference,
)
from bncourse.torch_bn.moments import Moments, batch_moments, widened


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
        ctx.eps, ctx.in_blocks = eps, blockwise_pays(x)
        saved: tuple[torch.Tensor, ...]
        if ctx.in_blocks:
            y, saved, moments = forward_in_blocks(x, gamma, beta, eps)
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
        if ctx.in_blocks:
            return *backward_in_blocks(dy, x, gamma, Normalizer(*saved)), None
        return *batch_norm_backward(dy, Cache(*saved)), None


class Normalizer(NamedTuple):
    """What makes x_hat of x: (x - mean - remainder) * inv_std.

    Storing x_hat, and fetching it again, would take longer than to compute it twice. The remainder, which rounding
    has left in the mean, is too small to be added to it.
    """

    mean: torch.Tensor
    remainder: torch.Tensor
    inv_std: torch.Tensor


def forward_in_blocks(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float
) -> tuple[torch.Tensor, Normalizer, Moments]:
    """`batch_norm_forward` block by block, with the moments."""
    count = values_per_channel(x.shape)
    wide = widened(x)
    mean, remainder, var = (wide.new_zeros(len(gamma)) for _ in range(3))
    for x_, total_ in blocks([wide], totals=[mean]):
        add_sums(total_, x_, 1 / count)
    for x_, mean_, remainder_, var_ in blocks([wide], [mean], [remainder, var], backwards=True):
        add_moments(remainder_, var_, x_ - mean_, 1 / count)
    var.addcmul_(remainder, remainder, value=-1).clamp_(min=0)
    inv_std = torch.rsqrt(var + eps)
    y = torch.empty_like(wide)
    scale = gamma * inv_std
    # y = gamma * x_hat + beta, sorted by x - mean and 1
    for x_, y_, mean_, of_centered_, of_one_ in blocks([wide, y], [mean, scale, beta - scale * remainder]):
        torch.sub(x_, mean_, out=y_)
        torch.addcmul(of_one_, y_, of_centered_, out=y_)
    return y.to(x.dtype), Normalizer(mean, remainder, inv_std), Moments(mean + remainder, var, count)


def add_moments(first: torch.Tensor, second: torch.Tensor, piece: torch.Tensor, weight: float) -> None:
    """Add the weighted sums of a piece's values and of their squares, which take their place."""
    add_sums(first, piece, weight)
    add_sums(second, piece.square_(), weight)


def backward_in_blocks(dy: torch.Tensor, x: torch.Tensor, gamma: torch.Tensor, normalizer: Normalizer) -> Gradients:
    """`batch_norm_backward` block by block."""
    mean, remainder, inv_std = normalizer
    count = values_per_channel(x.shape)
    wide, wide_dy = widened(x), widened(dy)
    if dy.stride() != x.stride():
        wide_dy = torch.empty_like(wide).copy_(dy)
    dgamma, dbeta = (wide.new_zeros(len(gamma)) for _ in range(2))
    for x_, dy_, mean_, dgamma_, dbeta_ in blocks([wide, wide_dy], [mean], [dgamma, dbeta]):
        add_sums(dbeta_, dy_)
        add_sums(dgamma_, (x_ - mean_).mul_(dy_))
    dgamma.addcmul_(dbeta, remainder, value=-1).mul_(inv_std)
    dx = torch.empty_like(wide)
    # dx = scale * (dy - mean(dy) - x_hat * mean(dy * x_hat)), sorted by dy, x - mean and 1
    scale = gamma * inv_std
    of_centered = scale * inv_std * dgamma * (-1 / count)
    of_one = torch.addcmul(of_centered * -remainder, scale, dbeta, value=-1 / count)
    for x_, dy_, dx_, mean_, of_dy_, of_centered_, of_one_ in blocks(
        [wide, wide_dy, dx], [mean, scale, of_centered, of_one], backwards=True
    ):
        torch.sub(x_, mean_, out=dx_)
        torch.addcmul(of_one_, dx_, of_centered_, out=dx_)
        dx_.addcmul_(dy_, of_dy_)
    return Gradients(dx.to(dy.dtype), dgamma.to(gamma.dtype), dbeta.to(gamma.dtype))
