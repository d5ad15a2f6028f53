"""The NumPy transform against PyTorch in float64, against its own derivative, and against the laws of the map."""

import numpy as np
import pytest
import torch

from bncourse.gradcheck import check_vjp
from bncourse.numpy_bn import (
    batch_norm_backward,
    batch_norm_backward_staged,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
)

SHAPES = [(4, 3), (5, 3, 7), (3, 4, 2, 5), (2, 3, 2, 2, 3), (2, 1), (1, 2, 3)]
LARGE = [(16387, 17), (9, 3, 500), (3, 5, 8193), (2, 2, 65541), (70, 2000)]


def problem(shape, seed=0, offset=0.0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x = (3.0 * rng.standard_normal(shape) + offset).astype(dtype)
    gamma, beta = rng.standard_normal((2, shape[1])).astype(dtype)
    return x, gamma, beta, rng.standard_normal(shape).astype(dtype)


def by_torch(x, gamma, beta, dy, eps, running=(None, None)):
    inputs = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in (x, gamma, beta)]
    statistics = [None if r is None else torch.as_tensor(r) for r in running]
    y = torch.nn.functional.batch_norm(inputs[0], *statistics, *inputs[1:], training=running[0] is None, eps=eps)
    gradients = torch.autograd.grad(y, inputs, torch.tensor(dy, dtype=torch.float64))
    return [t.detach().numpy() for t in (y, *gradients)]


@pytest.mark.parametrize("shape", SHAPES + LARGE)
@pytest.mark.parametrize("eps", [0.1, 1e-5])
def test_training_equals_pytorch_in_float64(shape, eps):
    x, gamma, beta, dy = problem(shape)
    y, cache = batch_norm_forward(x, gamma, beta, eps=eps)
    for ours, theirs in zip((y, *batch_norm_backward(dy, cache)), by_torch(x, gamma, beta, dy, eps), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("shape", SHAPES)
def test_staged_pass_equals_the_closed_form(shape):
    x, gamma, beta, dy = problem(shape)
    _, cache = batch_norm_forward(x, gamma, beta, eps=0.1)
    gradients, stages = batch_norm_backward_staged(dy, cache)
    for ours, closed in zip(gradients, batch_norm_backward(dy, cache), strict=True):
        np.testing.assert_allclose(ours, closed, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(stages.dmean, stages.dmean_direct + stages.dmean_through_var, rtol=0, atol=0)
    np.testing.assert_allclose(
        stages.dx_direct + stages.dx_through_var + stages.dx_through_mean, gradients.dx, rtol=0, atol=0
    )
    np.testing.assert_allclose(stages.dmean_through_var, np.zeros(shape[1]), rtol=0, atol=1e-12)


def test_each_stage_is_the_derivative_of_its_node():
    x, gamma, beta, dy = problem((6, 2))
    _, cache = batch_norm_forward(x, gamma, beta, eps=0.1)
    _, stages = batch_norm_backward_staged(dy, cache)
    mean, var = torch.tensor(x.mean(0), requires_grad=True), torch.tensor(x.var(0), requires_grad=True)
    x_hat = (torch.tensor(x) - mean) / torch.sqrt(var + 0.1)
    loss = (torch.tensor(dy) * (torch.tensor(gamma) * x_hat + torch.tensor(beta))).sum()
    dx_hat, dmean, dvar = torch.autograd.grad(loss, [x_hat, mean, var])
    np.testing.assert_allclose(stages.dx_hat, dx_hat.numpy(), rtol=1e-12, atol=0)
    np.testing.assert_allclose(stages.dmean_direct, dmean.numpy(), rtol=1e-11, atol=0)
    np.testing.assert_allclose(stages.dvar, dvar.numpy(), rtol=1e-11, atol=0)
    centered = torch.tensor(x - x.mean(0))
    through_var = 2 / 6 * centered * dvar
    np.testing.assert_allclose(stages.dx_through_var, through_var.numpy(), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(stages.dx_through_mean, np.tile(dmean.numpy() / 6, (6, 1)), rtol=1e-10, atol=1e-14)


def test_the_mean_gradient_through_the_variance_is_not_zero_about_another_center():
    x, gamma, beta, dy = problem((6, 2))
    _, cache = batch_norm_forward(x, gamma, beta, eps=0.1)
    moved = cache._replace(x_hat=cache.x_hat + 0.5)
    _, stages = batch_norm_backward_staged(dy, moved)
    expected = stages.dvar * (-2.0 / 6) * (moved.x_hat / cache.inv_std).sum(axis=0)
    np.testing.assert_allclose(stages.dmean_through_var, expected, rtol=1e-12, atol=0)
    assert np.abs(stages.dmean_through_var).min() > 1e-3


@pytest.mark.parametrize("shape", [*SHAPES, (1, 3)])
def test_inference_equals_pytorch_in_float64(shape):
    x, gamma, beta, dy = problem(shape)
    running = np.random.default_rng(1).standard_normal(shape[1]), np.linspace(0.01, 9.0, shape[1])
    y, cache = batch_norm_inference(x, gamma, beta, *running, eps=0.1)
    ours = y, *batch_norm_inference_backward(dy, cache)
    for mine, theirs in zip(ours, by_torch(x, gamma, beta, dy, 0.1, running), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", SHAPES[:5])
@pytest.mark.parametrize("method", ["central", "complex"])
def test_backward_is_the_derivative_of_forward(shape, method):
    x, gamma, beta, _ = problem(shape)

    def forward(x, gamma, beta):
        return batch_norm_forward(x, gamma, beta, eps=0.1)

    names = ["x", "gamma", "beta"]
    check_vjp(forward, batch_norm_backward, [x, gamma, beta], names=names, method=method)
    check_vjp(forward, lambda dy, c: batch_norm_backward_staged(dy, c)[0], [x, gamma, beta], method=method)


@pytest.mark.parametrize("method", ["central", "complex"])
def test_inference_backward_is_the_derivative_of_inference(method):
    x, gamma, beta, _ = problem((4, 3, 5))
    mean, var = np.array([0.1, -2.0, 3.0]), np.array([0.5, 4.0, 9.0])

    def forward(x, gamma, beta):
        return batch_norm_inference(x, gamma, beta, mean, var, eps=0.1)

    check_vjp(forward, batch_norm_inference_backward, [x, gamma, beta], method=method)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", ["fortran", "strided", "transposed", "reversed"])
def test_memory_layout_does_not_matter(layout, dtype):
    x, gamma, beta, dy = problem((6, 4, 5), dtype=dtype)
    views = {
        "fortran": np.asfortranarray,
        "strided": lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
        "transposed": lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0),
        "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    }
    view = views[layout]
    y, cache = batch_norm_forward(x, gamma, beta)
    gradients = batch_norm_backward(dy, cache)
    y_view, cache_view = batch_norm_forward(view(x), gamma, beta)
    rounding = 64 * np.finfo(dtype).eps
    np.testing.assert_allclose(y_view, y, rtol=0, atol=rounding)
    for one, other in zip(batch_norm_backward(view(dy), cache_view), gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=rounding)


def test_arguments_are_left_as_they_were():
    x, gamma, beta, dy = problem((6, 4, 5))
    copies = [a.copy() for a in (x, gamma, beta, dy)]
    for array in (x, gamma, beta, dy):
        array.flags.writeable = False
    _, cache = batch_norm_forward(x, gamma, beta)
    first = batch_norm_backward(dy, cache)
    second = batch_norm_backward(dy, cache)
    batch_norm_backward_staged(dy, cache)
    for array, copy in zip((x, gamma, beta, dy), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    np.testing.assert_array_equal(first.dx, second.dx)


def test_numpy_settings_are_restored():
    before = np.getbufsize(), np.geterr()
    x, gamma, beta, _ = problem((6, 4))
    batch_norm_forward(x, gamma, beta)
    with pytest.raises(ValueError, match="eps"):
        batch_norm_forward(x, gamma, beta, eps=-1.0)
    assert (np.getbufsize(), np.geterr()) == before


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_input_spreads_over_its_channel_only_and_as_in_pytorch(bad, recwarn):
    x, gamma, beta, dy = problem((6, 3))
    x[2, 1] = bad
    y, cache = batch_norm_forward(x, gamma, beta)
    gradients = batch_norm_backward(dy, cache)
    for ours, theirs in zip((y, *gradients), by_torch(x, gamma, beta, dy, 1e-5), strict=True):
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.isnan(y[:, 1]).all()
    assert np.isfinite(y[:, [0, 2]]).all()
    assert not recwarn.list


def test_float16_input_takes_float32_or_float16_parameters_and_gives_float16():
    x, gamma, beta, dy = problem((64, 3), offset=300.0)
    x, dy = x.astype(np.float16), dy.astype(np.float16)
    for dtype in (np.float16, np.float32):
        parameters = gamma.astype(dtype), beta.astype(dtype)
        y, cache = batch_norm_forward(x, *parameters)
        dx, dgamma, dbeta = batch_norm_backward(dy, cache)
        assert (y.dtype, dx.dtype, dgamma.dtype, dbeta.dtype) == (np.float16, np.float16, dtype, dtype)
        staged, _ = batch_norm_backward_staged(dy, cache)
        assert [a.dtype for a in staged] == [dx.dtype, dgamma.dtype, dbeta.dtype]
        exact, _ = batch_norm_forward(x.astype(np.float64), *(p.astype(np.float64) for p in parameters))
        np.testing.assert_allclose(y, exact, rtol=1e-3, atol=1e-3)


def test_float32_stays_float32():
    x, gamma, beta, dy = problem((6, 3), dtype=np.float32)
    y, cache = batch_norm_forward(x, gamma, beta)
    results = [y, *cache[:5], *batch_norm_backward(dy, cache), *batch_norm_backward_staged(dy, cache)[1]]
    y, cache = batch_norm_inference(x, gamma, beta, beta, np.ones(3, np.float32))
    results += [y, *cache[:5], *batch_norm_inference_backward(dy, cache)]
    assert {a.dtype for a in results} == {np.dtype(np.float32)}


def test_a_batch_of_two_passes_no_gradient():
    x, gamma, beta, dy = problem((2, 5))
    _, cache = batch_norm_forward(x, gamma, beta, eps=0.0)
    np.testing.assert_allclose(batch_norm_backward(dy, cache).dx, np.zeros((2, 5)), rtol=0, atol=1e-12)
