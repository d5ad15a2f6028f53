"""The hand-written gradient as a node of PyTorch's own graph."""

from typing import Any

import torch

from bncourse.arguments import check_arguments
from bncourse.conventions import EPS, values_per_channel
from bncourse.torch_bn.blocks import blocks, blockwise_pays, channel_dots, channel_sums
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
        if blockwise_pays(x):
            y, cache, moments = forward_in_blocks(x, gamma, beta, eps)
        else:
            moments = batch_moments(x)
            y, cache = batch_norm_inference(x, gamma, beta, moments.mean, moments.var, eps=eps)
        ctx.eps = eps
        ctx.save_for_backward(x, beta, *cache)
        ctx.mark_non_differentiable(moments.mean, moments.var)
        ctx.set_materialize_grads(False)
        return y, moments.mean, moments.var

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        """Closed form."""
        dy, _, _ = grads
        if dy is None:
            return None, None, None, None
        x, beta, *saved = ctx.saved_tensors
        cache = Cache(*saved)
        if torch.is_grad_enabled():
            # A derivative of this derivative is wanted: x_hat must be a function of x again.
            _, cache = batch_norm_forward(x, cache.gamma, beta, eps=ctx.eps)
            return *batch_norm_backward(dy, cache), None
        if blockwise_pays(x):
            return *backward_in_blocks(dy, cache), None
        return *batch_norm_backward(dy, cache), None


def forward_in_blocks(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float
) -> tuple[torch.Tensor, Cache, Moments]:
    """`batch_norm_forward` block by block, with the moments."""
    count = values_per_channel(x.shape)
    wide = widened(x)
    x_hat, y = torch.empty_like(wide), torch.empty_like(wide)
    mean, remainder, var = wide.new_zeros(3, len(gamma))
    for channels, x_ in blocks([wide]):
        mean[channels] += channel_sums(x_) / count
    for channels, x_, centered_, mean_ in blocks([wide, x_hat], [mean]):
        torch.sub(x_, mean_, out=centered_)
        remainder[channels] += channel_sums(centered_) / count
        var[channels] += channel_dots(centered_, centered_) / count
    var -= torch.minimum(var, remainder * remainder)
    inv_std = 1.0 / torch.sqrt(var + eps)
    shift = -remainder * inv_std
    for _, x_hat_, y_, inv_std_, shift_, gamma_, beta_ in blocks([x_hat, y], [inv_std, shift, gamma, beta]):
        torch.addcmul(shift_, x_hat_, inv_std_, out=x_hat_)
        torch.addcmul(beta_, x_hat_, gamma_, out=y_)
    return y.to(x.dtype), Cache(x_hat, inv_std, gamma), Moments(mean + remainder, var, count)


def backward_in_blocks(dy: torch.Tensor, cache: Cache) -> Gradients:
    """`batch_norm_backward` block by block."""
    x_hat, inv_std, gamma = cache
    count = values_per_channel(dy.shape)
    wide = torch.empty_like(x_hat).copy_(dy) if dy.stride() != x_hat.stride() else widened(dy)
    dx = torch.empty_like(x_hat)
    dgamma, dbeta = x_hat.new_zeros(2, len(gamma))
    for channels, dy_, x_hat_ in blocks([wide, x_hat]):
        dbeta[channels] += channel_sums(dy_)
        dgamma[channels] += channel_dots(dy_, x_hat_)
    scale = gamma * inv_std
    # dx = scale * (dy - mean(dy) - x_hat * mean(dy * x_hat)), sorted by dy, x_hat and 1
    for _, dx_, dy_, x_hat_, of_dy_, of_x_hat_, of_one_ in blocks(
        [dx, wide, x_hat], [scale, -scale * dgamma / count, -scale * dbeta / count]
    ):
        torch.addcmul(of_one_, x_hat_, of_x_hat_, out=dx_)
        dx_.addcmul_(dy_, of_dy_)
    return Gradients(dx.to(dy.dtype), dgamma.to(gamma.dtype), dbeta.to(gamma.dtype))
