import numpy as np
import pytest
import torch

import bncourse.numpy_bn
from bncourse.gradcheck import check_vjp
from bncourse.torch_bn import normalization_axes, normalize_backward, normalize_forward

KINDS = [("batch", None), ("layer", None), ("instance", None), ("group", 2)]
SHAPES = [(4, 6, 5), (3, 6, 2, 5), (2, 4, 3, 2, 2)]
EPS = 0.1


def sample(shape, seed=0):
    torch.manual_seed(seed)
    x = 3.0 + 2.0 * torch.randn(shape, dtype=torch.float64)
    gamma, beta = torch.randn(2, shape[1], dtype=torch.float64)
    return x, gamma, beta, torch.randn(shape, dtype=torch.float64)


def oracle(x, gamma, beta, kind, groups):
    if kind == "batch":
        return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=EPS)
    if kind == "instance":
        return torch.nn.functional.instance_norm(x, weight=gamma, bias=beta, eps=EPS)
    return torch.nn.functional.group_norm(x, groups or 1, gamma, beta, eps=EPS)


@pytest.mark.parametrize(("kind", "groups"), KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_equals_pytorch_and_autograd(kind, groups, shape):
    x, gamma, beta, dy = sample(shape)
    inputs = [tensor.requires_grad_() for tensor in (x, gamma, beta)]
    expected = oracle(*inputs, kind, groups)
    gradients = torch.autograd.grad(expected, inputs, dy)
    y, cache = normalize_forward(*inputs, kind=kind, groups=groups, eps=EPS)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-13)
    through_autograd = torch.autograd.grad(y, inputs, dy, retain_graph=True)
    for found, traced, wanted in zip(normalize_backward(dy, cache), through_autograd, gradients, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(traced, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("kind", "groups"), KINDS)
def test_backward_is_the_derivative(kind, groups):
    x, gamma, beta, _ = sample((4, 6, 5), seed=1)

    def forward(*inputs):
        return normalize_forward(*inputs, kind=kind, groups=groups, eps=EPS)

    check_vjp(forward, normalize_backward, [x, gamma, beta], names=["x", "gamma", "beta"])


@pytest.mark.parametrize(("kind", "groups"), KINDS)
def test_the_twins_agree(kind, groups):
    x, gamma, beta, dy = sample((4, 6, 5), seed=2)
    arrays = [tensor.numpy() for tensor in (x, gamma, beta)]
    y, cache = normalize_forward(x, gamma, beta, kind=kind, groups=groups, eps=EPS)
    twin, twin_cache = bncourse.numpy_bn.normalize_forward(*arrays, kind=kind, groups=groups, eps=EPS)
    np.testing.assert_allclose(y.numpy(), twin, rtol=0, atol=1e-13)
    twin_gradients = bncourse.numpy_bn.normalize_backward(dy.numpy(), twin_cache)
    for found, wanted in zip(normalize_backward(dy, cache), twin_gradients, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12, atol=1e-13)


def test_the_axes_are_those_of_the_table():
    assert normalization_axes("batch", 3) == (0, 2)
    assert normalization_axes("layer", 3) == (1, 2)
    assert normalization_axes("instance", 3) == (2,)
    assert normalization_axes("group", 3) == (2, 3)
    assert normalization_axes("layer", 2) == (1,)


def test_a_wrong_choice_is_refused_with_a_way_out():
    x, gamma, beta, dy = sample((4, 6, 5))
    with pytest.raises(ValueError, match=r"groups is 4, but x has 6 channels .* Expected a divisor of 6"):
        normalize_forward(x, gamma, beta, kind="group", groups=4)
    with pytest.raises(ValueError, match=r"gamma has shape \(5,\), but x has 6 channels"):
        normalize_forward(x, gamma[:5], beta)
    with pytest.raises(ValueError, match=r"beta has shape \(5,\), but x has 6 channels"):
        normalize_forward(x, gamma, beta[:5])
    with pytest.raises(ValueError, match=r"eps is -1\.0"):
        normalize_forward(x, gamma, beta, eps=-1.0)
    with pytest.raises(ValueError, match=r"Expected \(N, C\)"):
        normalize_forward(x[0, 0], gamma, beta)
    _, cache = normalize_forward(x, gamma, beta)
    with pytest.raises(ValueError, match=r"dy has shape \(4, 6\)"):
        normalize_backward(dy[..., 0], cache)


@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "group"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32_and_comes_back_as_it_went_in(kind, dtype):
    groups = 2 if kind == "group" else None
    torch.manual_seed(0)
    x = (300.0 + 4.0 * torch.randn(4, 6, 50)).to(dtype)
    dy, one, zero = torch.randn(x.shape).to(dtype), torch.ones(6), torch.zeros(6)
    y, cache = normalize_forward(x, one, zero, kind=kind, groups=groups)
    gradients = normalize_backward(dy, cache)
    assert [value.dtype for value in (y, *gradients)] == [dtype, dtype, torch.float32, torch.float32]
    expected, wide_cache = normalize_forward(x.double(), one.double(), zero.double(), kind=kind, groups=groups)
    tolerance = 2 * torch.finfo(dtype).eps
    torch.testing.assert_close(y.double(), expected, rtol=tolerance, atol=tolerance)
    for found, wanted in zip(gradients, normalize_backward(dy.double(), wide_cache), strict=True):
        torch.testing.assert_close(found.double(), wanted, rtol=tolerance, atol=tolerance)
