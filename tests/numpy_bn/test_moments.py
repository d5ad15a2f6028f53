"""Moments against exact arithmetic, and merging against the moments of the joined values."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.numpy_bn import Moments, batch_moments, batch_norm_backward, batch_norm_forward, merge_moments
from bncourse.numpy_bn.moments import narrowed, widened

CASES = [
    (np.float32, 0.0),
    (np.float32, 1.1),
    (np.float32, 1e4),
    (np.float32, -1e6),
    (np.float16, 300.0),
    (np.float64, 1e9),
]
SHAPES = [(64, 3), (20000, 2), (70001, 1), (9, 2, 31, 17), (2, 3, 40001)]


def exact_moments(x):
    """Mean and variance in long double, of the very numbers that x holds; their first value is subtracted first."""
    axes = tuple(i for i in range(x.ndim) if i != 1)
    wide = x.astype(np.longdouble)
    first = wide[(slice(1), slice(None), *(slice(1),) * (x.ndim - 2))]
    shifted = wide - first
    mean = shifted.mean(axis=axes, keepdims=True)
    return first, mean, ((shifted - mean) ** 2).mean(axis=axes, keepdims=True)


def data(shape, dtype, offset):
    return (np.random.default_rng(0).standard_normal(shape) + offset).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "offset"), CASES)
def test_moments_stay_within_the_stated_bound_at_any_offset(shape, dtype, offset):
    """|mean - exact| <= 4 eps |mean|; |var - exact| <= (64 + sqrt(count)) eps var: no offset in it."""
    x = data(shape, dtype, offset)
    mean, var, count = batch_moments(x)
    first, shifted_mean, exact_var = exact_moments(x)
    exact_mean = first + shifted_mean
    eps = np.finfo(mean.dtype).eps
    assert mean.dtype == np.promote_types(dtype, np.float32)
    assert count == x.size // x.shape[1]
    np.testing.assert_allclose(mean, exact_mean.ravel(), rtol=4 * eps, atol=4 * eps)
    np.testing.assert_allclose(var, exact_var.ravel(), rtol=(64 + count**0.5) * eps, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "offset"), CASES)
def test_the_transform_stays_within_the_stated_bound_at_any_offset(shape, dtype, offset):
    """|x_hat - exact| <= (64 + sqrt(count)) eps (1 + |x_hat|), and y and dx likewise: no offset in it either."""
    x = data(shape, dtype, offset)
    dy = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    gamma, beta = np.linspace(0.5, 2.0, shape[1]), np.linspace(-1.0, 1.0, shape[1])
    wide = np.promote_types(dtype, np.float32)
    y, cache = batch_norm_forward(x, gamma.astype(wide), beta.astype(wide))
    first, mean, var = exact_moments(x)
    inv_std = 1 / np.sqrt(var + np.longdouble(1e-5))
    x_hat = (x.astype(np.longdouble) - first - mean) * inv_std
    eps = np.finfo(wide).eps
    growth = 64 + (x.size // x.shape[1]) ** 0.5
    difference = np.abs(cache.x_hat - x_hat)
    assert (difference <= growth * eps * (1 + np.abs(x_hat))).all()
    columns = [-1 if axis == 1 else 1 for axis in range(x.ndim)]
    exact = gamma.reshape(columns) * x_hat + beta.reshape(columns)
    assert (np.abs(y - exact) <= growth * np.finfo(dtype).eps * (2 + np.abs(exact))).all()
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    centered_dy = dy - dy.mean(axis=axes, keepdims=True, dtype=np.longdouble)
    through_var = x_hat * (dy * x_hat).mean(axis=axes, keepdims=True)
    dx = gamma.reshape(columns) * inv_std * (centered_dy - through_var)
    found = batch_norm_backward(dy, cache).dx
    bound = growth * np.finfo(dtype).eps * np.abs(gamma.reshape(columns) * inv_std) * (2 + np.abs(dy) + np.abs(x_hat))
    assert (np.abs(found - dx) <= bound).all()


def test_a_small_batch_agrees_with_fifty_digits():
    x = np.array([[1e4 + 0.125], [1e4 - 1.0], [1e4 + 2.5]], np.float32)
    with mpmath.workdps(50):
        values = [mpmath.mpf(float(v)) for v in x[:, 0]]
        mean = mpmath.fsum(values) / 3
        var = mpmath.fsum((v - mean) ** 2 for v in values) / 3
    ours = batch_moments(x)
    assert abs(float(ours.mean[0]) - float(mean)) <= 2 * float(np.spacing(np.float32(mean)))
    assert abs(float(ours.var[0]) - float(var)) <= 4 * float(np.spacing(np.float32(var)))


def test_the_variance_is_never_negative_and_zero_for_a_constant_channel():
    x = np.full((1000, 3), 0.1, np.float32)
    var = batch_moments(x).var
    assert (var >= 0).all()
    np.testing.assert_allclose(var, np.zeros(3), rtol=0, atol=1e-16)


def test_results_for_float16_are_float16_again():
    half, wide = np.ones(2, np.float16), np.ones(2, np.float32)
    assert (narrowed(wide, half).dtype, narrowed(wide, wide).dtype) == (np.float16, np.float32)
    assert (widened(half).dtype, widened(wide).dtype) == (np.float32, np.float32)


def test_one_value_per_channel_has_variance_zero():
    assert batch_moments(np.array([[7.0, 8.0]])).var.tolist() == [0.0, 0.0]


def test_wrong_values_are_refused():
    with pytest.raises(ValueError, match=r"^x has shape \(3,\), but channels are expected on axis 1"):
        batch_moments(np.zeros(3))
    with pytest.raises(TypeError, match=r"^x has dtype int64, which cannot hold normalized values"):
        batch_moments(np.zeros((3, 2), np.int64))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 2**32 - 1), st.floats(-1e6, 1e6))
@settings(deadline=None, max_examples=80)
def test_merged_moments_are_those_of_the_joined_values(counts, seed, offset):
    rng = np.random.default_rng(seed)
    groups = [rng.standard_normal((count, 2)) * rng.uniform(0.1, 10) + offset + rng.normal() for count in counts]
    merged = merge_moments(*(batch_moments(group) for group in groups))
    joined = batch_moments(np.concatenate(groups))
    assert merged.count == joined.count == sum(counts)
    np.testing.assert_allclose(merged.mean, joined.mean, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(merged.var, joined.var, rtol=1e-8, atol=1e-12 * (1 + abs(offset)))


def test_merging_adds_the_spread_between_the_means():
    parts = (np.array([0.0]), np.array([1.0]), 3), (np.array([4.0]), np.array([2.0]), 1)
    mean, var, count = merge_moments(*parts)
    assert (mean.tolist(), var.tolist(), count) == ([1.0], [(3 * 1 + 2) / 4 + 16 * 3 / 16], 4)


def test_empty_parts_change_nothing_wherever_they_stand():
    nothing = Moments(np.array([np.nan]), np.array([np.nan]), 0)
    part = Moments(np.array([2.0]), np.array([1.0]), 2)
    assert merge_moments(nothing, part, nothing) == part


@pytest.mark.parametrize("counts", [(), (0,), (0, 0), (3, -1)])
def test_parts_without_values_are_refused(counts):
    with pytest.raises(ValueError, match=r"^the parts have the counts \[.*\]. Expected at least one part"):
        merge_moments(*((np.zeros(1), np.zeros(1), count) for count in counts))
