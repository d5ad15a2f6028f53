import numpy as np
import pytest
import torch

import bncourse.numpy_bn
from bncourse.gradcheck import check_vjp
from bncourse.torch_bn import batch_renorm_backward, batch_renorm_forward

EPS = 0.1


def sample(shape, seed=0):
    torch.manual_seed(seed)
    x = 3.0 + 2.0 * torch.randn(shape, dtype=torch.float64)
    gamma, beta, running_mean = torch.randn(3, shape[1], dtype=torch.float64)
    running_var = 0.2 + torch.rand(shape[1], dtype=torch.float64)
    return x, gamma, beta, running_mean, running_var, torch.randn(shape, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (3, 2, 2, 3)])
@pytest.mark.parametrize(("r_max", "d_max"), [(1.0, 0.0), (1.3, 0.5), (1e9, 1e9)])
def test_equals_autograd_and_the_twin(shape, r_max, d_max):
    *arguments, dy = sample(shape)
    inputs = [tensor.requires_grad_() for tensor in arguments[:3]]
    options = {"r_max": r_max, "d_max": d_max, "eps": EPS}
    y, cache = batch_renorm_forward(*arguments, **options)
    gradients = batch_renorm_backward(dy, cache)
    arrays = [tensor.detach().numpy() for tensor in arguments]
    twin, twin_cache = bncourse.numpy_bn.batch_renorm_forward(*arrays, **options)
    np.testing.assert_allclose(y.detach().numpy(), twin, rtol=1e-13, atol=1e-13)
    twin_gradients = bncourse.numpy_bn.batch_renorm_backward(dy.numpy(), twin_cache)
    traced = torch.autograd.grad(y, inputs, dy)
    for found, by_autograd, by_twin in zip(gradients, traced, twin_gradients, strict=True):
        torch.testing.assert_close(found, by_autograd, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(found.detach().numpy(), by_twin, rtol=1e-12, atol=1e-12)


def test_backward_is_the_derivative_where_the_limits_hold_r_and_d_still():
    x, gamma, beta, running_mean, running_var, _ = sample((6, 3))

    def forward(x, gamma, beta):
        return batch_renorm_forward(x, gamma, beta, running_mean, running_var, r_max=1.01, d_max=0.01, eps=EPS)

    check_vjp(forward, batch_renorm_backward, [x, gamma, beta], names=["x", "gamma", "beta"])


def test_the_statistics_get_no_gradient():
    *arguments, dy = sample((6, 3))
    arguments[3].requires_grad_()
    arguments[0].requires_grad_()
    y, _ = batch_renorm_forward(*arguments, r_max=1e9, d_max=1e9)
    assert torch.autograd.grad(y, arguments[3], dy, allow_unused=True) == (None,)


def test_wrong_arguments_are_refused():
    *arguments, dy = sample((6, 3))
    with pytest.raises(ValueError, match=r"r_max is 0\.5"):
        batch_renorm_forward(*arguments, r_max=0.5)
    with pytest.raises(ValueError, match=r"d_max is -1\.0"):
        batch_renorm_forward(*arguments, d_max=-1.0)
    for position, name in enumerate(["gamma", "beta", "running_mean", "running_var"], start=1):
        wrong = [*arguments[:position], arguments[position][:2], *arguments[position + 1 :]]
        with pytest.raises(ValueError, match=rf"{name} has shape \(2,\), but x has 3 channels"):
            batch_renorm_forward(*wrong)
    _, cache = batch_renorm_forward(*arguments)
    with pytest.raises(ValueError, match=r"dy has shape \(5, 3\)"):
        batch_renorm_backward(dy[:5], cache)
