import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.gradcheck import GradientMismatch, check_vjp
from bncourse.numpy_bn import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference,
    batch_renorm_backward,
    batch_renorm_forward,
    renorm_corrections,
)

EPS = 0.1
FREE = {"r_max": 1e9, "d_max": 1e9, "eps": EPS}


def sample(shape, seed=0):
    rng = np.random.default_rng(seed)
    x = 3.0 + 2.0 * rng.standard_normal(shape)
    gamma, beta, running_mean = rng.standard_normal((3, shape[1]))
    return x, gamma, beta, running_mean, 0.2 + rng.random(shape[1]), rng.standard_normal(shape)


def oracle(x, gamma, beta, running_mean, running_var, r_max, d_max, eps):
    """The paper's definition on one channel after another, with r and d detached from the graph."""
    columns = []
    for channel in range(x.shape[1]):
        values = x[:, channel]
        std = (values.var(unbiased=False) + eps).sqrt()
        running_std = (running_var[channel] + eps).sqrt()
        r = (std / running_std).clamp(1 / r_max, r_max).detach()
        d = ((values.mean() - running_mean[channel]) / running_std).clamp(-d_max, d_max).detach()
        columns.append(gamma[channel] * ((values - values.mean()) / std * r + d) + beta[channel])
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (3, 2, 2, 3)])
@pytest.mark.parametrize(("r_max", "d_max"), [(1.0, 0.0), (1.3, 0.5), (3.0, 5.0), (1e9, 1e9)])
def test_equals_autograd_with_r_and_d_detached(shape, r_max, d_max):
    x, gamma, beta, running_mean, running_var, dy = sample(shape)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    statistics = torch.tensor(running_mean), torch.tensor(running_var)
    expected = oracle(*tensors, *statistics, r_max, d_max, EPS)
    expected.backward(torch.tensor(dy))
    y, cache = batch_renorm_forward(x, gamma, beta, running_mean, running_var, r_max=r_max, d_max=d_max, eps=EPS)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-13, atol=1e-13)
    for found, tensor in zip(batch_renorm_backward(dy, cache), tensors, strict=True):
        np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_no_correction_is_batch_norm():
    x, gamma, beta, running_mean, running_var, dy = sample((6, 3))
    y, cache = batch_renorm_forward(x, gamma, beta, running_mean, running_var, r_max=1.0, d_max=0.0, eps=EPS)
    expected, expected_cache = batch_norm_forward(x, gamma, beta, eps=EPS)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-14)
    for found, wanted in zip(batch_renorm_backward(dy, cache), batch_norm_backward(dy, expected_cache), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-14)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), samples=st.integers(2, 6), channels=st.integers(1, 4))
def test_a_free_correction_gives_what_inference_gives(seed, samples, channels):
    x, gamma, beta, running_mean, running_var, _ = sample((samples, channels), seed)
    y, _ = batch_renorm_forward(x, gamma, beta, running_mean, running_var, **FREE)
    expected, _ = batch_norm_inference(x, gamma, beta, running_mean, running_var, eps=EPS)
    np.testing.assert_allclose(y, expected, rtol=1e-11, atol=1e-11)


def test_backward_is_the_derivative_where_the_limits_hold_r_and_d_still():
    x, gamma, beta, running_mean, running_var, _ = sample((6, 3))

    def forward(x, gamma, beta):
        return batch_renorm_forward(x, gamma, beta, running_mean, running_var, r_max=1.01, d_max=0.01, eps=EPS)

    check_vjp(forward, batch_renorm_backward, [x, gamma, beta], names=["x", "gamma", "beta"])


def test_backward_is_not_the_derivative_where_r_and_d_follow_x():
    x, gamma, beta, running_mean, running_var, _ = sample((6, 3))

    def forward(x, gamma, beta):
        return batch_renorm_forward(x, gamma, beta, running_mean, running_var, **FREE)

    with pytest.raises(GradientMismatch, match="with respect to x"):
        check_vjp(forward, batch_renorm_backward, [x, gamma, beta], names=["x", "gamma", "beta"])


def test_the_gradient_of_a_shift_of_the_batch_is_zero_although_the_output_follows_it():
    x, gamma, beta, running_mean, running_var, dy = sample((6, 3))
    y, cache = batch_renorm_forward(x, gamma, beta, running_mean, running_var, **FREE)
    shifted, _ = batch_renorm_forward(x + 1.0, gamma, beta, running_mean, running_var, **FREE)
    np.testing.assert_allclose(shifted - y, np.tile(gamma / np.sqrt(running_var + EPS), (6, 1)), rtol=1e-12)
    np.testing.assert_allclose(batch_renorm_backward(dy, cache).dx.sum(axis=0), 0.0, rtol=0, atol=1e-13)


def test_r_and_d_are_limited_on_both_sides():
    mean, var = np.array([10.0, -10.0, 0.5]), np.array([99.9, 0.0, 0.9])
    r, d = renorm_corrections(mean, var, np.zeros(3), np.full(3, 0.9), r_max=3.0, d_max=5.0, eps=0.1)
    np.testing.assert_allclose(r, [3.0, 1 / 3, 1.0], rtol=1e-15)
    np.testing.assert_allclose(d, [5.0, -5.0, 0.5], rtol=1e-15)


def test_the_default_limits_are_those_at_which_the_paper_ends():
    one = np.ones(1)
    r, d = renorm_corrections(100 * one, 1e4 * one, 0 * one, one, eps=0.0)
    assert (r[0], d[0]) == (3.0, 5.0)
    x = np.array([[0.0], [200.0]])
    y, _ = batch_renorm_forward(x, one, 0 * one, 0 * one, one, eps=0.0)
    np.testing.assert_allclose(y, [[2.0], [8.0]], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_input_far_from_zero_stays_near_the_float64_value(dtype):
    rng = np.random.default_rng(0)
    x = ((300 if dtype == np.float16 else 1e4) + 4.0 * rng.standard_normal((64, 3))).astype(dtype)
    dy, one, zero = rng.standard_normal((64, 3)).astype(dtype), np.ones(3, dtype), np.zeros(3, dtype)
    y, cache = batch_renorm_forward(x, one, zero, zero, one, r_max=1.0, d_max=0.0)
    dx = batch_renorm_backward(dy, cache).dx
    wide = [array.astype(np.float64) for array in (x, one, zero, zero, one)]
    expected, wide_cache = batch_renorm_forward(*wide, r_max=1.0, d_max=0.0)
    assert y.dtype == dx.dtype == dtype
    tolerance = 2e-3 if dtype == np.float16 else 2e-4
    np.testing.assert_allclose(y, expected, rtol=0, atol=tolerance)
    wide_dx = batch_renorm_backward(dy.astype(np.float64), wide_cache).dx
    np.testing.assert_allclose(dx, wide_dx, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"r_max": 0.5}, "r_max is 0.5, but r is limited to [1 / r_max, r_max]. Expected 1 or more"),
        ({"r_max": np.nan}, "r_max is nan"),
        ({"d_max": -1.0}, "d_max is -1.0, but d is limited to [-d_max, d_max]. Expected 0 or more"),
        ({"eps": -1.0}, "eps is -1.0"),
        ({"gamma": np.ones(2)}, "gamma has shape (2,), but x has 3 channels"),
        ({"beta": np.ones(2)}, "beta has shape (2,), but x has 3 channels"),
        ({"running_mean": np.ones(2)}, "running_mean has shape (2,), but x has 3 channels"),
        ({"running_var": np.ones(2)}, "running_var has shape (2,), but x has 3 channels"),
        ({"x": np.ones((1, 3))}, "one value per channel"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    names = ["x", "gamma", "beta", "running_mean", "running_var"]
    arguments = dict(zip(names, sample((6, 3))[:5], strict=True)) | options
    with pytest.raises(ValueError) as caught:
        batch_renorm_forward(**arguments)
    assert message in str(caught.value)


def test_a_cotangent_of_another_shape_is_refused():
    *arguments, dy = sample((6, 3))
    _, cache = batch_renorm_forward(*arguments)
    with pytest.raises(ValueError, match=r"dy has shape \(5, 3\)"):
        batch_renorm_backward(dy[:5], cache)
