"""Every numbered equation of the chapters beside the gradients is computed; each test bears its equation's label."""

import numpy as np

from bncourse.experiments.inception_recipes import PUBLISHED
from bncourse.gradcheck import check_vjp
from bncourse.numpy_bn import (
    PopulationStatistics,
    RunningStatistics,
    batch_moments,
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
    fold_batch_norm,
    normalize_backward,
    normalize_forward,
)
from bncourse.numpy_bn.whitening import whiten_backward, whiten_forward

DEFINITIONS = {"eq-effective-sample", "eq-ics", "eq-effective-count"}
"""What only gives a name: there is nothing to be true or false."""

RNG = np.random.default_rng(0)
ONE, ZERO = np.ones(3), np.zeros(3)


def close(found: object, expected: object, *, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def test_eq_importance() -> None:
    x = np.linspace(-12, 12, 40_001)
    p, q = (np.exp(-((x - mean) ** 2) / 2) / np.sqrt(2 * np.pi) for mean in (0.0, 1.0))
    loss = np.cos(x) ** 2
    close(np.trapezoid(loss * q, x), np.trapezoid(q / p * loss * p, x))


def test_eq_lag() -> None:
    speed, rate, curvature = 0.03, 0.2, 0.5
    error = 0.0
    for _ in range(1000):
        error = (1 - rate * curvature) * error + speed
    close(error, speed / (rate * curvature))
    close(curvature / 2 * error**2, speed**2 / (2 * rate**2 * curvature))


def test_eq_hessian() -> None:
    x = RNG.standard_normal((50, 2)) + 3
    z = np.column_stack([x, np.ones(50)])
    mean, covariance = x.mean(axis=0), np.cov(x.T, bias=True)
    close(z.T @ z / 50, np.block([[covariance + np.outer(mean, mean), mean[:, None]], [mean, np.ones(1)]]))


def test_eq_rate() -> None:
    low, high = 1.0, 9.0
    rate, kappa = 2 / (low + high), high / low
    close([abs(1 - rate * low), abs(1 - rate * high)], (kappa - 1) / (kappa + 1))
    kappa = 1e4
    close(np.log(1e-3) / np.log((kappa - 1) / (kappa + 1)), kappa / 2 * np.log(1000), rtol=1e-3)


def test_eq_outside() -> None:
    u, b, step = RNG.standard_normal(10), 2.0, 0.7
    close(u + (b + step) - (u + (b + step)).mean(), u + b - (u + b).mean())


def test_eq_zca() -> None:
    x, eps = RNG.standard_normal((40, 3)) @ RNG.standard_normal((3, 3)), 0.1
    y, cache = whiten_forward(x, eps=eps)
    covariance = np.cov(x.T, bias=True) + eps * np.eye(3)
    close(cache.whitener @ covariance @ cache.whitener, np.eye(3))
    close(cache.whitener, cache.whitener.T)
    close(y, (x - x.mean(axis=0)) @ cache.whitener)


def test_eq_zca_derivative() -> None:
    check_vjp(whiten_forward, whiten_backward, [RNG.standard_normal((20, 3))])
    eigenvalues = np.array([1.0, 2.0, 5.0])
    roots, change = np.sqrt(eigenvalues), RNG.standard_normal((3, 3))
    change, h = change + change.T, 1e-6

    def whitener(covariance: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh(covariance)
        return (vectors / np.sqrt(values)) @ vectors.T

    moved = whitener(np.diag(eigenvalues) + h * change) - whitener(np.diag(eigenvalues) - h * change)
    close(moved / (2 * h), -change / (np.outer(roots, roots) * np.add.outer(roots, roots)), rtol=1e-6)


def test_eq_transform() -> None:
    x, gamma, beta, eps = RNG.standard_normal((6, 3)), RNG.standard_normal(3), RNG.standard_normal(3), 0.1
    mean = x.sum(axis=0) / 6
    var = ((x - mean) ** 2).sum(axis=0) / 6
    close(batch_norm_forward(x, gamma, beta, eps=eps)[0], gamma * (x - mean) / np.sqrt(var + eps) + beta)


def test_eq_var_x_hat() -> None:
    x, eps = RNG.standard_normal((6, 3)) * [1, 0.1, 0.01], 0.1
    close(batch_norm_forward(x, ONE, ZERO, eps=eps)[0].var(axis=0), x.var(axis=0) / (x.var(axis=0) + eps))


def test_eq_invariance() -> None:
    x = RNG.standard_normal((6, 3))
    close(batch_norm_forward(7 * x - 3, ONE, ZERO, eps=0.0)[0], batch_norm_forward(x, ONE, ZERO, eps=0.0)[0])


def test_eq_identity() -> None:
    x, eps = RNG.standard_normal((6, 3)) * 3 + 1, 0.1
    close(batch_norm_forward(x, np.sqrt(x.var(axis=0) + eps), x.mean(axis=0), eps=eps)[0], x)


def test_eq_redundant_bias() -> None:
    _, cache = batch_norm_forward(RNG.standard_normal((6, 3)), ONE, ZERO, eps=0.1)
    close(batch_norm_backward(RNG.standard_normal((6, 3)), cache).dx.sum(axis=0), 0)


def test_eq_conv_moments() -> None:
    x = RNG.standard_normal((2, 3, 4, 5))
    mean, var, count = batch_moments(x)
    assert count == 2 * 4 * 5
    rows = x.transpose(0, 2, 3, 1).reshape(-1, 3)
    close(mean, rows.sum(axis=0) / count)
    close(var, ((rows - mean) ** 2).sum(axis=0) / count)


def test_eq_algorithm_2() -> None:
    batches, population = RNG.standard_normal((5, 4, 3)), PopulationStatistics(3)
    for batch in batches:
        population.update(*batch_moments(batch))
    mean, var = population.algorithm_2()
    close(mean, batches.mean(axis=1).mean(axis=0))
    close(var, 4 / 3 * batches.var(axis=1).mean(axis=0))


def test_eq_variance_bias() -> None:
    """Exactly: over all 9 batches of two throws of a three-sided die, which are equally likely."""
    die = np.array([0.0, 1.0, 5.0])
    batches = np.stack(np.meshgrid(die, die), axis=-1).reshape(-1, 2)
    close(batches.var(axis=1).mean(), die.var() / 2)


def test_eq_total_variance() -> None:
    batches = RNG.standard_normal((5, 4))
    close(batches.var(), batches.var(axis=1).mean() + batches.mean(axis=1).var())


def test_eq_moving_average() -> None:
    a, running, new = 0.3, RunningStatistics(1, momentum=0.3), RNG.standard_normal(6)
    for value in new:
        running.update(np.array([value]), np.ones(1), count=2)
    close(running.mean, sum(a * (1 - a) ** k * new[-1 - k] for k in range(6)))
    close(running.var, (1 - a) ** 6 * 1.0 + sum(a * (1 - a) ** k * 2.0 for k in range(6)))


def test_eq_effective_batches() -> None:
    for a in (0.1, 0.5, 0.9):
        weights = a * (1 - a) ** np.arange(2000)
        close(1 / (weights**2).sum(), (2 - a) / a)


def test_eq_batch_noise() -> None:
    rng, count, x_hat = np.random.default_rng(1), 512, np.array([0.0, 1.0, 2.0])
    batches = (np.vstack([x_hat, rng.standard_normal((count - 1, 3))]) for _ in range(2000))
    outputs = [batch_norm_forward(batch, ONE, ZERO, eps=0.0)[0][0] for batch in batches]
    close(np.var(outputs, axis=0), (1 + x_hat**2 / 2) / count, rtol=0.12)


def test_eq_inference_gradient() -> None:
    x, dy, gamma = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3)), RNG.standard_normal(3)
    mean, var, eps = RNG.standard_normal(3), RNG.uniform(0.5, 2, 3), 0.1
    _, cache = batch_norm_inference(x, gamma, ZERO, mean, var, eps=eps)
    close(batch_norm_inference_backward(dy, cache).dx, gamma / np.sqrt(var + eps) * dy)


def test_eq_lost_epsilon() -> None:
    x, gamma, beta = RNG.standard_normal((3, 3))
    mean, var = RNG.standard_normal(3), np.array([1e-6, 1e-3, 1.0])
    trained, converted = (batch_norm_inference(x[None], gamma, beta, mean, var, eps=eps)[0] for eps in (1e-3, 1e-5))
    close((converted - beta) / (trained - beta), np.sqrt((var + 1e-3) / (var + 1e-5))[None], rtol=1e-7)


def test_eq_folding() -> None:
    u, weight, bias = RNG.standard_normal((4, 5)), RNG.standard_normal((3, 5)), RNG.standard_normal(3)
    gamma, beta, mean, var = (*RNG.standard_normal((3, 3)), RNG.uniform(0.5, 2, 3))
    y, _ = batch_norm_inference(u @ weight.T + bias, gamma, beta, mean, var, eps=0.1)
    scale = gamma / np.sqrt(var + 0.1)
    close(u @ (scale[:, None] * weight).T + scale * (bias - mean) + beta, y)
    folded = fold_batch_norm(weight, bias, gamma, beta, mean, var, eps=0.1)
    close(u @ folded.weight.T + folded.bias, y)


def test_eq_rms() -> None:
    rng = np.random.default_rng(11)
    x, upstream = rng.standard_normal((2, 6))
    rms = np.sqrt((x * x).mean())
    x_hat = x / rms
    expected = (np.eye(6) - np.outer(x_hat, x_hat) / 6) @ upstream / rms

    def loss(values: np.ndarray) -> float:
        return float((upstream * values / np.sqrt((values * values).mean())).sum())

    found = [(loss(x + step) - loss(x - step)) / 2e-6 for step in 1e-6 * np.eye(6)]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_eq_any_axes() -> None:
    x, dy, gamma = RNG.standard_normal((4, 6)), RNG.standard_normal((4, 6)), RNG.standard_normal(6)
    _, cache = normalize_forward(x, gamma, np.zeros(6), kind="group", groups=2, eps=0.1)
    sets, dx_hat = x.reshape(4, 2, 3), (gamma * dy).reshape(4, 2, 3)
    std = np.sqrt(sets.var(axis=2, keepdims=True) + 0.1)
    x_hat = (sets - sets.mean(axis=2, keepdims=True)) / std
    means = dx_hat.mean(axis=2, keepdims=True), (dx_hat * x_hat).mean(axis=2, keepdims=True)
    close(normalize_backward(dy, cache).dx, ((dx_hat - means[0] - x_hat * means[1]) / std).reshape(4, 6))


def test_eq_shrink() -> None:
    outputs, std = 400, 0.1
    u, other = RNG.standard_normal((2, 20))
    weight = std * RNG.standard_normal((200, outputs, 20))  # 200 layers
    h, h_other = (1 / (1 + np.exp(-weight @ inputs)) for inputs in (u, other))
    found, bound = ((h - h_other) ** 2).sum(axis=1).mean(), outputs * std**2 / 16 * ((u - other) ** 2).sum()
    assert 0.9 * bound < found <= bound  # small products: the sigmoids are nearly at their steepest
    products = ((weight @ (u - other)) ** 2).sum(axis=1).mean()
    close(products, outputs * std**2 * ((u - other) ** 2).sum(), rtol=0.01)


def test_eq_pairs() -> None:
    x = RNG.standard_normal(7) * 3 + 5
    x_hat = (x - x.mean()) / x.std()
    close(((x_hat[:, None] - x_hat) ** 2).mean(), 2.0)


def test_eq_fourteen() -> None:
    baseline, alone, five_fold = (PUBLISHED[row][0] for row in ("Inception", "BN-Baseline", "BN-x5"))
    close([baseline / alone, alone / five_fold, baseline / five_fold], [2.3, 6.3, 2.3 * 6.3], rtol=0.02)
