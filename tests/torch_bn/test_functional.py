"""The PyTorch functions against autograd through them and against the native operation."""

import pytest
import torch

from bncourse.gradcheck import check_vjp
from bncourse.torch_bn import (
    batch_norm_backward,
    batch_norm_backward_staged,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
)

SHAPES = [(4, 3), (5, 3, 7), (3, 4, 2, 5), (2, 3, 2, 2, 3), (2, 1), (1, 2, 3)]


def problem(shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    x, dy = (torch.randn(shape, generator=generator, dtype=torch.float64) * 3 + 1 for _ in range(2))
    gamma, beta = torch.randn(2, shape[1], generator=generator, dtype=torch.float64)
    return [t.to(dtype) for t in (x, gamma, beta, dy)]


@pytest.mark.parametrize("shape", SHAPES)
def test_backward_equals_autograd_through_forward(shape):
    x, gamma, beta, dy = problem(shape)
    inputs = [t.requires_grad_() for t in (x, gamma, beta)]
    y, cache = batch_norm_forward(*inputs, eps=0.1)
    expected = torch.autograd.grad(y, inputs, dy)
    with torch.no_grad():
        for gradients in (batch_norm_backward(dy, cache), batch_norm_backward_staged(dy, cache)[0]):
            for ours, theirs in zip(gradients, expected, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


def test_the_mean_gradient_through_the_variance_is_not_zero_about_another_center():
    x, gamma, beta, dy = problem((6, 2))
    _, cache = batch_norm_forward(x, gamma, beta, eps=0.1)
    moved = cache._replace(x_hat=cache.x_hat + 0.5)
    _, stages = batch_norm_backward_staged(dy, moved)
    expected = stages.dvar * (-2.0 / 6) * (moved.x_hat / cache.inv_std).sum(dim=0)
    torch.testing.assert_close(stages.dmean_through_var, expected, rtol=1e-12, atol=0)
    assert stages.dmean_through_var.abs().min() > 1e-3
    torch.testing.assert_close(stages.dmean, stages.dmean_direct + expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(stages.dx_through_mean, (stages.dmean / 6).expand(6, 2), rtol=1e-12, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_training_equals_the_native_operation(shape):
    x, gamma, beta, dy = problem(shape)
    inputs = [t.requires_grad_() for t in (x, gamma, beta)]
    expected = torch.nn.functional.batch_norm(x, None, None, gamma, beta, True, eps=0.1)
    y, cache = batch_norm_forward(x, gamma, beta, eps=0.1)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    native = torch.autograd.grad(expected, inputs, dy)
    for ours, theirs in zip(batch_norm_backward(dy, cache), native, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("shape", [*SHAPES, (1, 3)])
def test_inference_equals_the_native_operation(shape):
    x, gamma, beta, dy = problem(shape)
    inputs = [t.requires_grad_() for t in (x, gamma, beta)]
    mean, var = torch.randn(2, shape[1], dtype=torch.float64).abs()
    expected = torch.nn.functional.batch_norm(x, mean, var, gamma, beta, False, eps=0.1)
    y, cache = batch_norm_inference(x, gamma, beta, mean, var, eps=0.1)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    native = torch.autograd.grad(expected, inputs, dy)
    for ours, theirs in zip(batch_norm_inference_backward(dy, cache), native, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_backward_is_the_derivative_of_forward_by_differences(shape):
    inputs = problem(shape)[:3]
    check_vjp(lambda *a: batch_norm_forward(*a, eps=0.1), batch_norm_backward, inputs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("wide", [True, False])
def test_half_precision_has_float32_statistics_and_its_own_dtype(dtype, wide):
    x, gamma, beta, dy = problem((64, 3), dtype)
    x = x + 300
    if wide:
        gamma, beta = gamma.float(), beta.float()
    y, cache = batch_norm_forward(x, gamma, beta)
    assert (y.dtype, cache.x_hat.dtype, cache.inv_std.dtype) == (dtype, torch.float32, torch.float32)
    exact, _ = batch_norm_forward(x.double(), gamma.double(), beta.double())
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(y.double(), exact, rtol=eps, atol=eps)
    for gradients in (batch_norm_backward(dy, cache), batch_norm_backward_staged(dy, cache)[0]):
        assert [g.dtype for g in gradients] == [dtype, gamma.dtype, gamma.dtype]
    y, cache = batch_norm_inference(x, gamma, beta, torch.zeros(3), torch.ones(3))
    assert y.dtype == dtype
    assert [g.dtype for g in batch_norm_inference_backward(dy, cache)] == [dtype, gamma.dtype, gamma.dtype]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_not_finite_input_spreads_as_in_the_native_operation(bad):
    x, gamma, beta, _ = problem((6, 3))
    x[2, 1] = bad
    expected = torch.nn.functional.batch_norm(x, None, None, gamma, beta, True)
    y, _ = batch_norm_forward(x, gamma, beta)
    assert torch.equal(y.isnan(), expected.isnan())


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e6])
def test_float32_stays_within_the_stated_bound(offset):
    """|y - exact| <= eps (64 + |mean| / std) (1 + |exact|): whole tensors subtract the mean rounded to float32."""
    torch.manual_seed(0)
    x = torch.randn(5000, 3) + offset
    one, zero = torch.ones(3), torch.zeros(3)
    exact, _ = batch_norm_forward(x.double(), one.double(), zero.double())
    y, _ = batch_norm_forward(x, one, zero)
    bound = torch.finfo(torch.float32).eps * (64 + abs(offset)) * (1 + exact.abs())
    assert ((y.double() - exact).abs() <= bound).all()
