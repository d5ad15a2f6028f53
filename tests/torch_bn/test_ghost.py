import numpy as np
import pytest
import torch

import bncourse.numpy_bn
from bncourse.gradcheck import check_vjp
from bncourse.torch_bn import ghost_batch_norm_backward, ghost_batch_norm_forward

EPS = 0.1


def sample(shape, seed=0):
    torch.manual_seed(seed)
    x = 3.0 + 2.0 * torch.randn(shape, dtype=torch.float64)
    gamma, beta = torch.randn(2, shape[1], dtype=torch.float64)
    return x, gamma, beta, torch.randn(shape, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(8, 3), (7, 3, 2), (5, 2, 3, 2)])
@pytest.mark.parametrize("ghost_size", [2, 3, 100])
def test_equals_autograd_and_the_twin(shape, ghost_size):
    x, gamma, beta, dy = sample(shape)
    inputs = [tensor.requires_grad_() for tensor in (x, gamma, beta)]
    y, cache = ghost_batch_norm_forward(*inputs, ghost_size=ghost_size, eps=EPS)
    gradients = ghost_batch_norm_backward(dy, cache)
    arrays = [tensor.detach().numpy() for tensor in inputs]
    twin, twin_cache = bncourse.numpy_bn.ghost_batch_norm_forward(*arrays, ghost_size=ghost_size, eps=EPS)
    np.testing.assert_allclose(y.detach().numpy(), twin, rtol=0, atol=1e-13)
    twin_gradients = bncourse.numpy_bn.ghost_batch_norm_backward(dy.numpy(), twin_cache)
    traced = torch.autograd.grad(y, inputs, dy)
    for found, by_autograd, by_twin in zip(gradients, traced, twin_gradients, strict=True):
        torch.testing.assert_close(found, by_autograd, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found.detach().numpy(), by_twin, rtol=1e-12, atol=1e-13)


def test_backward_is_the_derivative():
    x, gamma, beta, _ = sample((7, 3), seed=1)

    def forward(*inputs):
        return ghost_batch_norm_forward(*inputs, ghost_size=4, eps=EPS)

    check_vjp(forward, ghost_batch_norm_backward, [x, gamma, beta], names=["x", "gamma", "beta"])


def test_wrong_arguments_are_refused():
    x, gamma, beta, dy = sample((9, 3))
    with pytest.raises(ValueError, match=r"x has 9 samples .* ghost_size 4 leaves a ghost batch of one value"):
        ghost_batch_norm_forward(x, gamma, beta, ghost_size=4)
    with pytest.raises(ValueError, match=r"Expected at least one sample"):
        ghost_batch_norm_forward(x[:0], gamma, beta, ghost_size=4)
    _, cache = ghost_batch_norm_forward(x, gamma, beta, ghost_size=3)
    with pytest.raises(ValueError, match=r"dy has shape \(8, 3\)"):
        ghost_batch_norm_backward(dy[:8], cache)
