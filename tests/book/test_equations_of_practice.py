"""Every numbered equation of the chapters on the batch and its failures is computed, under its label's name."""

import numpy as np
import pytest

from bncourse.numpy_bn import SGD, Linear, batch_norm_backward, batch_norm_forward
from bncourse.numpy_bn.renorm import batch_renorm_backward, batch_renorm_forward

RNG = np.random.default_rng(0)
ONE, ZERO = np.ones(1), np.zeros(1)
X, DY = RNG.standard_normal((2, 6, 3))
GAMMA, BETA = RNG.standard_normal((2, 3))


def close(found: object, expected: object, *, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def values_in_company(fixed: np.ndarray, size: int, draws: int = 4000) -> np.ndarray:
    """Normalized values of the fixed samples in many batches of Gaussian company."""
    company = RNG.standard_normal((draws, size - len(fixed)))
    batches = np.concatenate([np.broadcast_to(fixed, (draws, len(fixed))), company], axis=1)
    return np.array([batch_norm_forward(batch[:, None], ONE, ZERO)[0][: len(fixed), 0] for batch in batches])


def test_eq_mean_noise() -> None:
    samples = RNG.standard_normal(60)
    variances = [values_in_company(np.array([sample]), 64, draws=400).var() for sample in samples]
    close(np.sqrt(np.mean(variances)), np.sqrt(1.5 / 64), rtol=0.15)


@pytest.mark.parametrize("m", [2, 32])
def test_eq_dropout_equal(m: int) -> None:
    p = 1.5 / (m + 1.5)
    kept = RNG.random(400_000) >= p
    close((kept / (1 - p)).var(), 1.5 / m, rtol=0.02)


@pytest.mark.parametrize(("a", "b"), [(1.0, -1.0), (1.0, 1.0), (2.0, -1.0), (0.0, 2.0)])
def test_eq_shared_noise(a: float, b: float) -> None:
    expected = (1 + a * b / 2) / np.sqrt((1 + a**2 / 2) * (1 + b**2 / 2))
    close(np.corrcoef(values_in_company(np.array([a, b]), 256).T)[0, 1], expected, rtol=0, atol=0.06)


def test_eq_turn() -> None:
    rate, decay, size = 0.5, 0.02, 8
    layer = Linear(10, 1, np.random.default_rng(1), bias=False)
    optimizer, turns = SGD(layer, lr=rate, weight_decay=decay), []
    for step in range(4000):
        before = layer.weight.copy()
        x = layer(RNG.standard_normal((size, 10)))
        _, cache = batch_norm_forward(x, ONE, ZERO, eps=0.0)
        layer.backward(batch_norm_backward(RNG.standard_normal((size, 1)) / size, cache).dx)
        optimizer.step()
        if step >= 1000:
            unit, unit_before = (w / np.linalg.norm(w) for w in (layer.weight, before))
            turns.append(np.linalg.norm(unit - unit_before))
    close(np.sqrt(np.mean(np.square(turns))), np.sqrt(2 * rate * decay), rtol=0.1)


def test_eq_joined_dx() -> None:
    _, cache = batch_norm_forward(X, GAMMA, BETA, eps=0.1)
    sums = [(part_dy.sum(axis=0), (part_dy * part).sum(axis=0)) for part_dy, part in zip(
        np.split(DY, 3), np.split(cache.x_hat, 3), strict=True
    )]  # fmt: skip
    through_mean, through_var = (np.sum(part, axis=0) / 6 for part in zip(*sums, strict=True))
    dx = GAMMA / np.sqrt(X.var(axis=0) + 0.1) * (DY - through_mean - cache.x_hat * through_var)
    close(dx, batch_norm_backward(DY, cache).dx)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_eq_lottery(eps: float) -> None:
    a, delta, middle = 0.02, 0.7, 1.3
    _, cache = batch_norm_forward(np.array([[middle - a], [middle + a]]), ONE, ZERO, eps=eps)
    dx = batch_norm_backward(np.array([[0.4 - delta], [0.4 + delta]]), cache).dx[:, 0]
    close(dx, delta * eps / (a**2 + eps) ** 1.5 * np.array([-1, 1]))
    grid = np.sqrt(eps) * np.tan(np.linspace(-np.pi / 2 + 1e-4, np.pi / 2 - 1e-4, 200_001))
    close(np.trapezoid(eps / (grid**2 + eps) ** 1.5, grid), 2.0, rtol=1e-4)


def test_eq_renorm_identity() -> None:
    mean, var, running_mean, running_var = X.mean(axis=0), X.var(axis=0), 0.3, 2.0
    r, d = np.sqrt(var / running_var), (mean - running_mean) / np.sqrt(running_var)
    close((X - mean) / np.sqrt(var) * r + d, (X - running_mean) / np.sqrt(running_var))


def corrected() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, object]:
    """The batch's own normalized value, r, d, the corrected value, and the package's gradients, with eps = 0.1."""
    running_mean, running_var = 0.3 * np.ones(3), 2.0 * np.ones(3)
    _, cache = batch_renorm_forward(X, GAMMA, BETA, running_mean, running_var, eps=0.1)
    own = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + 0.1)
    r = np.sqrt((X.var(axis=0) + 0.1) / (running_var + 0.1))
    d = (X.mean(axis=0) - running_mean) / np.sqrt(running_var + 0.1)
    return own, r, d, cache.x_hat, batch_renorm_backward(DY, cache)


def test_eq_renorm_dx() -> None:
    own, r, _, _, gradients = corrected()
    inside = DY - DY.mean(axis=0) - own * (DY * own).mean(axis=0)
    close(gradients.dx, GAMMA * r / np.sqrt(X.var(axis=0) + 0.1) * inside)


def test_eq_renorm_dgamma() -> None:
    own, r, d, x_hat, gradients = corrected()
    close(x_hat, r * own + d)
    close(gradients.dgamma, (DY * (r * own + d)).sum(axis=0))
    close(gradients.dbeta, DY.sum(axis=0))
