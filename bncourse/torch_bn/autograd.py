"""The hand-written gradient as a node of PyTorch's own graph."""

from typing import Any

import torch

from bncourse.conventions import EPS, channel_shape, reduction_axes, values_per_channel
from bncourse.torch_bn.functional import batch_norm_backward, batch_norm_forward
from bncourse.torch_bn.moments import mean_over, narrowed, widened
from bncourse.torch_bn.results import Array, Cache, Moments


class BatchNormFunction(torch.autograd.Function):
    """`batch_norm_forward` whose derivative, for autograd, is `batch_norm_backward`.

    `BatchNormFunction.apply(x, gamma, beta, eps)` returns y; the batch's mean and biased variance, for running
    statistics and without a gradient; and the two other entries of the cache, x_hat and inv_std. These two are results,
    and not only saved, so that the backward pass is a function of x which autograd can differentiate once more
    (`create_graph=True`, `torch.func`).
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, ...]:
        """Algorithm 1 of the paper."""
        y, cache = batch_norm_forward(x, gamma, beta, eps=eps)
        return y, cache.mean, cache.var, cache.x_hat, cache.inv_std

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Array, ...]) -> None:
        """Keep the cache for both derivatives."""
        _, mean, var, x_hat, inv_std = output
        cache = (x_hat, inv_std, inputs[1], mean, var)
        ctx.save_for_backward(*cache)
        ctx.save_for_forward(*cache)
        ctx.mark_non_differentiable(mean, var)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *grads: Array | None) -> tuple[Array | None, ...]:
        """Closed form. What comes in for x_hat and inv_std, in a second derivative only, is passed on to x."""
        dy, _, _, dx_hat, dinv_std = grads
        cache = _cache(ctx)
        dx = dgamma = dbeta = None
        if dy is not None:
            dx, dgamma, dbeta = batch_norm_backward(dy, cache)
        if dx_hat is not None:
            dx = _add(dx, _through_x_hat(dx_hat, cache))
        if dinv_std is not None:
            # inv_std = (var + eps)^(-1/2), and the derivative of var is 2 / count * (x - mean)
            slope = (-dinv_std * cache.inv_std**2 / cache.count).reshape(channel_shape(cache.x_hat.shape))
            dx = _add(dx, slope * cache.x_hat)
        return dx, dgamma, dbeta, None


class ForwardModeFunction(BatchNormFunction):
    """`BatchNormFunction` with derivatives in forward mode as well; `torch.compile` takes no such function."""

    @staticmethod
    def jvp(ctx: Any, *tangents: Array | None) -> tuple[Array | None, ...]:
        """Forward mode. The Jacobian of x_hat is symmetric, so the same closed form multiplies it from the right."""
        dx, dgamma, dbeta, _ = tangents
        cache = _cache(ctx)
        as_channels = channel_shape(cache.x_hat.shape)
        dx = torch.zeros_like(cache.x_hat) if dx is None else widened(dx)
        dx_hat = _through_x_hat(dx, cache)
        dinv_std = -(cache.inv_std**2) * mean_over(reduction_axes(dx.ndim), dx * cache.x_hat)
        dy = cache.gamma.reshape(as_channels) * dx_hat
        if dgamma is not None:
            dy = dy + dgamma.reshape(as_channels) * cache.x_hat
        if dbeta is not None:
            dy = dy + dbeta.reshape(as_channels)
        return narrowed(dy, tangents[0] if tangents[0] is not None else dy), None, None, dx_hat, dinv_std


def batch_norm(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, Moments]:
    """`batch_norm_forward` as a node of the graph: y, and the moments of the batch, which carry no gradient."""
    function = BatchNormFunction if torch.compiler.is_compiling() else ForwardModeFunction
    y, mean, var, *_ = function.apply(x, gamma, beta, eps)  # type: ignore[no-untyped-call]
    return y, Moments(mean, var, values_per_channel(x.shape))


def _cache(ctx: Any) -> Cache:
    """The forward pass's cache, from what was saved."""
    x_hat, inv_std, gamma, mean, var = ctx.saved_tensors
    return Cache(x_hat, inv_std, gamma, mean, var, values_per_channel(x_hat.shape))


def _through_x_hat(dx_hat: Array, cache: Cache) -> Array:
    """The closed form for x_hat itself: that of y with gamma = 1."""
    return batch_norm_backward(dx_hat, cache._replace(gamma=torch.ones_like(cache.gamma))).dx


def _add(one: Array | None, other: Array) -> Array:
    return other if one is None else one + other
