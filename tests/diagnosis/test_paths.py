import numpy as np

from bncourse.diagnosis import paths
from bncourse.diagnosis.probes import make_probe
from bncourse.numpy_bn import batch_norm_backward, batch_norm_forward


def basis_of(seed: int) -> tuple[paths.Basis, np.ndarray]:
    probe = make_probe(seed)
    _, cache = batch_norm_forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    basis = paths.make_basis(cache.gamma * probe.dy, cache.x_hat, cache.inv_std)
    return basis, batch_norm_backward(probe.dy, cache).dx


def test_the_right_dx_has_coefficients_one_minus_one_minus_one() -> None:
    for seed in range(20):
        basis, dx = basis_of(seed)
        coefficients, residual = paths.fit(dx, basis)
        np.testing.assert_allclose(coefficients, np.outer(paths.RIGHT, np.ones(dx.shape[1])), rtol=1e-9, atol=1e-9)
        assert residual < 1e-12


def test_any_weights_of_the_paths_are_found_feature_by_feature() -> None:
    basis, dx = basis_of(3)
    weights = np.random.default_rng(0).standard_normal((3, dx.shape[1]))
    mixed = (weights[:, None, :] * basis.terms).sum(axis=0)
    coefficients, residual = paths.fit(mixed, basis)
    np.testing.assert_allclose(coefficients, weights, rtol=1e-9, atol=1e-9)
    assert residual < 1e-12


def test_what_lies_outside_the_span_leaves_a_residual() -> None:
    basis, dx = basis_of(4)
    assert paths.fit(dx + 0.01 * np.sin(np.arange(dx.size)).reshape(dx.shape), basis)[1] > 1e-4


def test_feature_maps_become_rows_of_places() -> None:
    maps = np.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2)
    np.testing.assert_array_equal(paths.rows(maps)[:4, 1], maps[0, 1].ravel())
    assert paths.rows(maps).shape == (8, 3)
