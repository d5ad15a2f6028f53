import re

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.gradcheck import check_vjp
from bncourse.numpy_bn import batch_norm_forward, whiten_backward, whiten_forward

EPS = 0.1


def with_variances(variances, count, seed=0, mean=0.0):
    """A batch whose covariance has exactly these eigenvalues, up to rounding, in random directions."""
    rng = np.random.default_rng(seed)
    features = len(variances)
    columns = rng.standard_normal((count, features))
    columns, _ = np.linalg.qr(columns - columns.mean(axis=0))
    rotation, _ = np.linalg.qr(rng.standard_normal((features, features)))
    return mean + (columns * np.sqrt(count * np.asarray(variances))) @ rotation.T


def oracle(x, eps):
    """Autograd through PyTorch's eigendecomposition, right where the eigenvalues are well apart."""
    centered = x - x.mean(dim=0)
    values, vectors = torch.linalg.eigh(centered.T @ centered / len(x))
    return centered @ (vectors * (values + eps).rsqrt()) @ vectors.T


@pytest.mark.parametrize("eps", [0.0, EPS])
@pytest.mark.parametrize("variances", [(1.0, 2.0, 4.0), (0.01, 1.0, 3.0, 10.0), (2.0,)])
def test_equals_autograd_through_the_eigendecomposition(variances, eps):
    x = with_variances(variances, 9, mean=5.0)
    dy = np.random.default_rng(1).standard_normal(x.shape)
    tensor = torch.tensor(x, requires_grad=True)
    expected = oracle(tensor, eps)
    expected.backward(torch.tensor(dy))
    y, cache = whiten_forward(x, eps=eps)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=0, atol=1e-12)
    (dx,) = whiten_backward(dy, cache)
    np.testing.assert_allclose(dx, tensor.grad.numpy(), rtol=0, atol=1e-10 * np.abs(dx).max())


@pytest.mark.parametrize(
    "variances",
    [(1.0, 1.0, 1.0), (1.0, 1.0, 5.0), (1.0, 1.0 + 1e-12, 2.0), (1.0, 1.0 + 1e-6, 1.0 + 2e-6)],
    ids=["all-equal", "two-equal", "close-to-rounding", "close"],
)
def test_backward_is_the_derivative_at_eigenvalue_crossings(variances):
    x = with_variances(variances, 8)
    check_vjp(lambda x: whiten_forward(x, eps=0.0), whiten_backward, [x], names=["x"])


def test_backward_solves_the_lyapunov_equation():
    x = with_variances((0.5, 1.0, 3.0), 8)
    _, cache = whiten_forward(x, eps=EPS)
    rng = np.random.default_rng(2)
    direction = rng.standard_normal((3, 3))
    direction = direction + direction.T
    root = np.linalg.inv(cache.whitener)
    dwhitener = -cache.whitener @ scipy.linalg.solve_continuous_lyapunov(root, direction) @ cache.whitener
    t = cache.roots
    rotated = cache.vectors.T @ direction @ cache.vectors / (np.outer(t, t) * (t[:, None] + t))
    np.testing.assert_allclose(-cache.vectors @ rotated @ cache.vectors.T, dwhitener, rtol=1e-11, atol=1e-12)


def test_the_result_is_uncorrelated_with_variance_one():
    y, cache = whiten_forward(with_variances((0.1, 1.0, 7.0), 20, mean=30.0), eps=0.0)
    np.testing.assert_allclose(y.mean(axis=0), 0.0, rtol=0, atol=1e-13)
    np.testing.assert_allclose(y.T @ y / 20, np.eye(3), rtol=0, atol=1e-12)
    np.testing.assert_allclose(cache.whitener, cache.whitener.T, rtol=0, atol=1e-14)
    assert cache.rank == 3
    np.testing.assert_allclose(cache.condition, 70.0, rtol=1e-10)
    _, cache = whiten_forward(with_variances((0.1, 1.0, 7.0), 20), eps=EPS)
    np.testing.assert_allclose(cache.condition, 7.1 / 0.2, rtol=1e-10)


def test_far_from_zero_float32_loses_nothing_but_the_inputs_own_rounding():
    x = with_variances((0.5, 1.0, 2.0), 50, mean=1e4).astype(np.float32)
    y, _ = whiten_forward(x, eps=EPS)
    expected, _ = whiten_forward(x.astype(np.float64), eps=EPS)
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), features=st.integers(1, 5), extra=st.integers(2, 8), shift=st.floats(-1e3, 1e3))
def test_it_turns_with_the_batch_and_ignores_its_shift(seed, features, extra, shift):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((features + extra, features))
    rotation, _ = np.linalg.qr(rng.standard_normal((features, features)))
    y, cache = whiten_forward(x, eps=EPS)
    turned, _ = whiten_forward(x @ rotation + shift, eps=EPS)
    np.testing.assert_allclose(turned, y @ rotation, rtol=0, atol=1e-10)
    (dx,) = whiten_backward(rng.standard_normal(x.shape), cache)
    np.testing.assert_allclose(dx.sum(axis=0), 0.0, rtol=0, atol=1e-12)


def test_of_uncorrelated_features_it_is_batch_norm():
    x = np.array([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]]) + 3.0
    y, _ = whiten_forward(x, eps=EPS)
    expected, _ = batch_norm_forward(x, np.ones(2), np.zeros(2), eps=EPS)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("condition", [1e1, 1e3, 1e5])
def test_the_error_is_bounded_by_the_reported_condition(condition):
    x = with_variances((1.0 / condition, 0.3, 1.0), 30).astype(np.float32)
    y, cache = whiten_forward(x, eps=0.0)
    expected, _ = whiten_forward(x.astype(np.float64), eps=0.0)
    np.testing.assert_allclose(cache.condition, condition, rtol=0.2)
    assert np.abs(y - expected).max() <= 10 * cache.condition * 2**-24 * np.abs(expected).max()


def test_fewer_samples_than_directions_are_refused_without_eps_and_reported_with_it():
    x = np.random.default_rng(0).standard_normal((4, 6))
    with pytest.raises(ValueError, match=r"4 samples span at most 3 of 6 directions.* or use more than 6 samples\."):
        whiten_forward(x, eps=0.0)
    y, cache = whiten_forward(x, eps=EPS)
    assert cache.rank == 3
    assert np.isfinite(y).all()
    check_vjp(lambda x: whiten_forward(x, eps=EPS), whiten_backward, [x], names=["x"])


def test_dependent_features_are_refused_and_the_suggested_eps_is_enough():
    x = np.random.default_rng(0).standard_normal((10, 2))
    x = np.concatenate([x, x[:, :1] - 2 * x[:, 1:]], axis=1)
    with pytest.raises(ValueError) as caught:
        whiten_forward(x, eps=0.0)
    text = str(caught.value)
    assert text.startswith("x has a covariance that is singular to rounding (some features are linear combinations")
    assert text.endswith("or drop the dependent features.")
    suggested = float(re.search(r"Set eps to (\S+) or more", text)[1])
    y, cache = whiten_forward(x, eps=suggested)
    assert np.isfinite(y).all()
    assert cache.rank == 2


def test_a_direction_below_rounding_is_refused_in_float32_and_kept_in_float64():
    x = with_variances((1e-9, 1.0, 1.0), 12)
    y, cache = whiten_forward(x, eps=0.0)
    np.testing.assert_allclose(y.T @ y / 12, np.eye(3), rtol=0, atol=1e-6)
    assert cache.rank == 3
    with pytest.raises(ValueError, match="singular to rounding"):
        whiten_forward(x.astype(np.float32), eps=0.0)


@pytest.mark.parametrize(
    ("x", "eps", "kind", "message"),
    [
        (np.ones((4, 2)), 0.0, ValueError, "x has no variance in any direction and eps is 0"),
        (np.array([[np.nan, 1.0], [2.0, 3.0], [5.0, 1.0]]), EPS, ValueError, "x holds NaN or infinity"),
        (np.array([[np.inf, 1.0], [2.0, 3.0], [5.0, 1.0]]), EPS, ValueError, "x holds NaN or infinity"),
        (np.ones((1, 2)), EPS, ValueError, "x has shape (1, 2): no covariance without at least two samples"),
        (np.ones((3, 0)), EPS, ValueError, "x has shape (3, 0): no covariance"),
        (np.ones((3, 2, 2)), EPS, ValueError, "x has shape (3, 2, 2). Expected (N, D), one sample per row."),
        (np.ones((3, 2)), -1.0, ValueError, "eps is -1.0"),
        (np.ones((3, 2), np.float16), EPS, TypeError, "x has dtype float16, for which there is no eigendecomposition"),
        (np.ones((3, 2), int), EPS, TypeError, "x has dtype int64"),
    ],
)
def test_what_cannot_be_whitened_is_refused_and_never_nan(x, eps, kind, message):
    with pytest.raises(kind) as caught:
        whiten_forward(x, eps=eps)
    assert message in str(caught.value)


def test_a_constant_batch_with_eps_becomes_zero_of_rank_zero():
    y, cache = whiten_forward(np.full((4, 2), 7.0), eps=EPS)
    np.testing.assert_array_equal(y, 0.0)
    assert cache.rank == 0


def test_a_cotangent_of_another_shape_is_refused():
    x = np.random.default_rng(0).standard_normal((5, 2))
    _, cache = whiten_forward(x)
    with pytest.raises(ValueError, match=r"dy has shape \(4, 2\), but the forward pass's output has shape \(5, 2\)"):
        whiten_backward(x[:4], cache)
