"""The laws of the map, for both twins, at any shape, offset and scale, in half, single and double precision.

Inputs are integers times a power of two, which every dtype holds exactly: what is compared is rounding in our
computation, never in its input. Every bound is a number of roundings: `growth(room, x)` of the arithmetic's, which is
float32 for float16 input, and `2` of the results' own.
"""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bncourse import numpy_bn, torch_bn

ROOMS = [pytest.param(numpy_bn, id="numpy"), pytest.param(torch_bn, id="torch")]
DTYPES = [np.float16, np.float32, np.float64]
MATRIX = st.tuples(st.integers(3, 9), st.integers(1, 4))
MAPS = st.tuples(st.integers(2, 4), st.integers(1, 3), st.integers(2, 5), st.integers(1, 3))

both_twins = pytest.mark.parametrize("room", ROOMS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
examples = settings(deadline=None, max_examples=40)


@st.composite
def problems(draw, largest=50, eps=(0.0, 1e-3, 1.0)):
    """(x, gamma, beta, dy, eps): integers in float64, times a power of two, no channel of x constant."""
    shape, seed = draw(MATRIX | MAPS), draw(st.integers(0, 2**32 - 1))
    offset, scale = draw(st.integers(-500, 500)), draw(st.sampled_from([0.25, 1.0, 4.0]))
    rng = np.random.default_rng(seed)
    x = scale * (rng.integers(-largest, largest, shape) + offset)
    assume((x.var(axis=over(x)) > 0).all())
    gamma, beta = rng.integers(-8, 8, (2, shape[1])) / 4
    return x, gamma, beta, rng.integers(-64, 64, shape) / 16, draw(st.sampled_from(eps))


def over(array):
    return tuple(axis for axis in range(array.ndim) if axis != 1)


def columns(vector, like):
    return vector.reshape([-1 if axis == 1 else 1 for axis in range(like.ndim)])


def ours(room, name, dtype, *arrays, **settings):
    """A function of the room, on arrays of this dtype; its arrays back in float64."""
    to = np.asarray if room is numpy_bn else torch.as_tensor
    result = getattr(room, name)(*[a if isinstance(a, tuple) else to(a.astype(dtype)) for a in arrays], **settings)
    back = [part if isinstance(part, tuple) else np.asarray(part).astype(np.float64) for part in result]
    return back if len(back) != 3 else room.Gradients(*back)


def train(room, dtype, x, gamma, beta, dy, eps):
    """y, the gradients, and the cache's x_hat and inv_std."""
    y, cache = ours(room, "batch_norm_forward", dtype, x, gamma, beta, eps=eps)
    gradients = ours(room, "batch_norm_backward", dtype, dy, cache)
    return y, gradients, np.asarray(cache.x_hat).astype(np.float64), np.asarray(cache.inv_std).astype(np.float64)


def rounding(room, dtype, x, dy):
    """How far y, and dx / (gamma * inv_std), may be from the exact value: (64 + |mean| / std) roundings, without the
    second term in NumPy, where the whole remainder of the mean is taken out."""
    std = x.std(axis=over(x))
    distance = 0.0 if room is numpy_bn else (np.abs(x.mean(axis=over(x))) / std).max()
    arithmetic = (64 + 4 * distance) * np.finfo(np.promote_types(dtype, np.float32)).eps
    largest = 1 + (np.abs(x - x.mean(axis=over(x), keepdims=True)) / columns(std, x)).max()
    unit = arithmetic + 2 * np.finfo(dtype).eps
    return unit * 4 * largest, unit * (1 + np.abs(dy).max()) * largest**2


def least(dtype):
    """How far rounding may carry a number near zero, whose digits end at the dtype's smallest number."""
    return 4 * float(np.finfo(dtype).smallest_subnormal)


def assert_near(found, expected, bound):
    np.testing.assert_array_less(np.abs(found - expected), np.broadcast_to(bound + 1e-300, expected.shape))


@both_twins
@every_dtype
@given(problem=problems())
@examples
def test_the_result_is_that_of_exact_arithmetic(room, dtype, problem):
    x, gamma, beta, dy, eps = problem
    y, gradients, _, _ = train(room, dtype, *problem)
    mean, var = x.mean(axis=over(x), keepdims=True), x.var(axis=over(x), keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    of_y, of_dx = rounding(room, dtype, x, dy)
    assert_near(y, columns(gamma, x) * x_hat + columns(beta, x), of_y)
    through_var = x_hat * (dy * x_hat).mean(axis=over(x), keepdims=True)
    scale = columns(gamma, x) * inv_std
    expected = scale * (dy - dy.mean(axis=over(x), keepdims=True) - through_var)
    assert_near(gradients.dx, expected, np.abs(scale) * of_dx + least(dtype))
    size = x.size / x.shape[1]
    assert_near(gradients.dgamma, (dy * x_hat).sum(axis=over(x)), size * of_dx)
    assert_near(gradients.dbeta, dy.sum(axis=over(x)), size * of_dx)


@both_twins
@every_dtype
@given(problem=problems(eps=[0.0]), shift=st.integers(-25, 25), scale=st.sampled_from([-2.0, 0.5, 2.0]))
@examples
def test_shift_of_the_input_changes_nothing_and_scale_only_the_sign_and_the_size_of_dx(
    room, dtype, problem, shift, scale
):
    x, gamma, beta, dy, eps = problem
    moved = scale * (x + 4 * shift)
    y, gradients, _, inv_std = train(room, dtype, *problem)
    y_moved, gradients_moved, _, _ = train(room, dtype, moved, np.sign(scale) * gamma, beta, dy, eps)
    of_y, of_dx = np.add(rounding(room, dtype, x, dy), rounding(room, dtype, moved, dy))
    assert_near(y_moved, y, of_y)
    size = columns(np.abs(gamma) * inv_std, x)
    assert_near(np.abs(scale) * gradients_moved.dx * np.sign(scale), gradients.dx, size * of_dx + least(dtype))


@both_twins
@every_dtype
@given(problem=problems())
@examples
def test_dx_sums_to_zero_and_is_orthogonal_to_x_hat_up_to_eps(room, dtype, problem):
    x, gamma, _, dy, eps = problem
    _, gradients, x_hat, inv_std = train(room, dtype, *problem)
    size, scale = x.size / x.shape[1], gamma * inv_std
    bound = size * np.abs(scale) * rounding(room, dtype, x, dy)[1] + size * least(dtype)
    assert_near(gradients.dx.sum(axis=over(x)), np.zeros_like(gamma), bound)
    left = scale * gradients.dgamma * eps * inv_std**2
    assert_near((gradients.dx * x_hat).sum(axis=over(x)), left, bound * (1 + np.abs(x_hat).max()))


@both_twins
@every_dtype
@given(problem=problems(eps=[0.0]), seed=st.integers(0, 2**32 - 1))
@examples
def test_backward_is_a_projection_and_linear(room, dtype, problem, seed):
    x, gamma, beta, dy, eps = problem
    one = np.ones_like(gamma)
    other = np.random.default_rng(seed).integers(-64, 64, x.shape) / 16
    _, cache = ours(room, "batch_norm_forward", dtype, x, one, beta, eps=eps)
    inv_std = columns(np.asarray(cache.inv_std).astype(np.float64), x)

    def projected(dy):
        return ours(room, "batch_norm_backward", dtype, dy, cache).dx / inv_std

    once, together = projected(dy), projected(2.0 * dy - other)
    largest = 1 + np.abs(dy).max() + np.abs(other).max() + np.abs(once).max()
    bound = 8 * rounding(room, dtype, x, largest * np.ones(1))[1]
    small = least(dtype) / inv_std
    assert_near(projected(once), once, bound + small)
    assert_near(together, 2.0 * once - projected(other), bound + 4 * small)


@both_twins
@every_dtype
@given(problem=problems(), seed=st.integers(0, 2**32 - 1))
@examples
def test_permuting_the_batch_permutes_the_result(room, dtype, problem, seed):
    x, gamma, beta, dy, eps = problem
    order = np.random.default_rng(seed).permutation(len(x))
    y, gradients, _, inv_std = train(room, dtype, *problem)
    y_permuted, gradients_permuted, _, _ = train(room, dtype, x[order], gamma, beta, dy[order], eps)
    of_y, of_dx = rounding(room, dtype, x, dy)
    assert_near(y_permuted, y[order], of_y)
    bound = columns(np.abs(gamma) * inv_std, x) * of_dx + least(dtype)
    assert_near(gradients_permuted.dx, gradients.dx[order], bound)


@both_twins
@every_dtype
@given(problem=problems())
@examples
def test_in_inference_a_sample_does_not_depend_on_its_batch_mates(room, dtype, problem):
    x, gamma, beta, dy, eps = problem
    mean, var = np.full_like(gamma, 0.5), np.full_like(gamma, 0.25)
    y, cache = ours(room, "batch_norm_inference", dtype, x, gamma, beta, mean, var, eps=eps)
    alone, cache_alone = ours(room, "batch_norm_inference", dtype, x[:1], gamma, beta, mean, var, eps=eps)
    np.testing.assert_array_equal(alone, y[:1])
    dx = ours(room, "batch_norm_inference_backward", dtype, dy, cache).dx
    dx_alone = ours(room, "batch_norm_inference_backward", dtype, dy[:1], cache_alone).dx
    np.testing.assert_array_equal(dx_alone, dx[:1])
