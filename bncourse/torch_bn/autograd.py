"""The hand-written gradient as a node of PyTorch's own graph."""

from typing import Any

import torch

from bncourse.torch_bn.functional import Cache, batch_norm_backward, batch_norm_forward


class BatchNormFunction(torch.autograd.Function):
    """`batch_norm_forward` whose derivative, for autograd, is `batch_norm_backward`.

    Call `BatchNormFunction.apply(x, gamma, beta, eps)`. The backward pass can itself be differentiated: where
    autograd asks for a graph of it (`create_graph=True`), it is built from the inputs with differentiable
    operations.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float) -> torch.Tensor:
        """Normalize, and save what backward needs."""
        y, cache = batch_norm_forward(x, gamma, beta, eps=eps)
        ctx.eps = eps
        ctx.save_for_backward(x, beta, *cache)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        """Closed form."""
        (dy,) = grads
        x, beta, x_hat, inv_std, gamma = ctx.saved_tensors
        if torch.is_grad_enabled():
            # A derivative of this derivative is wanted: x_hat must be a function of x again.
            _, (x_hat, inv_std, gamma) = batch_norm_forward(x, gamma, beta, eps=ctx.eps)
        dx, dgamma, dbeta = batch_norm_backward(dy, Cache(x_hat, inv_std, gamma))
        return dx, dgamma, dbeta, None
