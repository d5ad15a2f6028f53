import numpy as np
import pytest
import torch

import bncourse.numpy_bn
from bncourse.torch_bn import (
    add_bias_and_center,
    bias_gradient_inside,
    bias_gradient_outside,
    train_bias,
)


def sample(seed=0):
    torch.manual_seed(seed)
    u, target = torch.randn(2, 6, 3, dtype=torch.float64)
    return u, target + torch.tensor([1.0, -2.0, 0.5]), torch.randn(3, dtype=torch.float64)


def test_the_two_gradients_are_autograds_with_and_without_the_mean_in_the_graph():
    u, dx_hat, b = sample()
    x = u + b.requires_grad_()
    (inside,) = torch.autograd.grad(add_bias_and_center(u, b), b, dx_hat)
    (outside,) = torch.autograd.grad(x - x.mean(dim=0).detach(), b, dx_hat)
    torch.testing.assert_close(bias_gradient_inside(dx_hat), inside, rtol=0, atol=1e-14)
    torch.testing.assert_close(bias_gradient_outside(dx_hat), outside, rtol=0, atol=1e-14)


@pytest.mark.parametrize("inside", [True, False])
def test_the_twins_agree(inside):
    u, target, _ = sample()
    found = train_bias(u, target, steps=20, lr=0.5, inside=inside)
    expected = bncourse.numpy_bn.train_bias(u.numpy(), target.numpy(), steps=20, lr=0.5, inside=inside)
    np.testing.assert_allclose(found.bias.numpy(), expected.bias, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found.loss.numpy(), expected.loss, rtol=1e-12)
    assert (found.bias[-1].abs().max() > 1.0) is not inside


def test_wrong_shapes_are_refused():
    u, target, _ = sample()
    with pytest.raises(ValueError, match=r"target has shape \(5, 3\), but u has shape \(6, 3\)"):
        train_bias(u, target[:5], steps=1, lr=0.5, inside=True)
