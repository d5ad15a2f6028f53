"""Every labelled equation of the part on gradients that states an identity, put to numbers under its label."""

import numpy as np
import pytest

from bncourse.experiments.centers import CENTERS, SPREADS, spread_gradient
from bncourse.experiments.mean_gradient import share_through_variance
from bncourse.experiments.scale_invariance import descend, loss_and_gradient, make_problem
from bncourse.numpy_bn import batch_norm_backward, batch_norm_backward_staged, batch_norm_forward, merge_moments

DEFINITIONS = {"eq-mean", "eq-var", "eq-xhat", "eq-y", "eq-two-parts"}
"""Labels that define a name or repeat an equation of another page."""

M, EPS = 7, 0.1
RNG = np.random.default_rng(0)
X, DY = 3.0 + 2.0 * RNG.standard_normal(M), RNG.standard_normal(M)
GAMMA = 1.7
MEAN, VAR = X.mean(), X.var()
STD = np.sqrt(VAR + EPS)
X_HAT = (X - MEAN) / STD
ONES = np.ones(M)


def backward(x: np.ndarray = X, dy: np.ndarray = DY, eps: float = EPS, gamma: float = GAMMA):
    _, cache = batch_norm_forward(x[:, None], np.array([gamma]), np.array([0.3]), eps=eps)
    gradients, stages = batch_norm_backward_staged(dy[:, None], cache)
    return gradients, stages


def numerical(function, at: np.ndarray, h: float = 1e-6) -> np.ndarray:
    """Central differences of a scalar function."""
    steps = h * np.eye(at.size)
    return np.array([(function(at + step) - function(at - step)) / (2 * h) for step in steps])


def close(found, expected, rtol: float = 1e-10, atol: float = 1e-12) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def test_eq_dxhat():
    _, stages = backward()
    close(stages.dx_hat[:, 0], DY * GAMMA)


def test_eq_dgamma_dbeta():
    gradients, _ = backward()
    close(gradients.dgamma, (DY * X_HAT).sum())
    close(gradients.dbeta, DY.sum())


def test_eq_dvar():
    def loss(var):
        return (DY * GAMMA * (X - MEAN) / np.sqrt(var + EPS)).sum()

    _, stages = backward()
    close(stages.dvar, numerical(loss, np.array([VAR])), rtol=1e-7)
    close(stages.dvar, (DY * GAMMA * (X - MEAN)).sum() * -0.5 * (VAR + EPS) ** -1.5)


def test_eq_dmean():
    def loss(mean):
        var = ((X - mean) ** 2).mean()
        return (DY * GAMMA * (X - mean) / np.sqrt(var + EPS)).sum()

    _, stages = backward()
    close(stages.dmean, numerical(loss, np.array([MEAN])), rtol=1e-7)
    close(stages.dmean_direct, -(DY * GAMMA).sum() / STD)
    close(stages.dmean_through_var, 0.0)


def test_eq_dx():
    def loss(x):
        return (DY * GAMMA * (x - x.mean()) / np.sqrt(x.var() + EPS)).sum()

    gradients, stages = backward()
    close(gradients.dx[:, 0], numerical(loss, X), rtol=1e-6, atol=1e-9)
    close(stages.dx_direct[:, 0], DY * GAMMA / STD)
    close(stages.dx_through_var[:, 0], stages.dvar * 2 * (X - MEAN) / M)
    close(stages.dx_through_mean[:, 0], ONES * stages.dmean / M)


def test_eq_deviations():
    close((X - MEAN).sum(), 0.0, atol=1e-13)


def test_eq_spread_about():
    def spread(center):
        return ((X - center) ** 2).mean()

    for center in (MEAN, 0.0, 4.0):
        slope = numerical(lambda c: spread(c[0]), np.array([center]))
        close(slope, -2.0 * (X - center).mean(), rtol=1e-6, atol=1e-8)


def test_eq_parabola():
    for center in (MEAN, 0.0, 4.0):
        close(((X - center) ** 2).mean(), VAR + (center - MEAN) ** 2)


def test_eq_total():
    total = spread_gradient(X, CENTERS["mean"], SPREADS["mean square"], held=False)
    partial = spread_gradient(X, CENTERS["mean"], SPREADS["mean square"], held=True)
    close(total, 2.0 * (X - MEAN) / M, rtol=1e-6, atol=1e-8)
    close(total, partial - 2.0 * (X - MEAN).mean() / M, rtol=1e-6, atol=1e-8)


def test_eq_merged_slope():
    parts = X[:3], X[3:]
    means = np.array([part.mean() for part in parts])

    def var(centers):
        pairs = zip(parts, centers, strict=True)
        return merge_moments(*((c, ((part - c) ** 2).mean(), part.size) for part, c in pairs)).var

    expected = [2.0 * part.size / M * (mean - MEAN) for part, mean in zip(parts, means, strict=True)]
    close(numerical(var, means), expected, rtol=1e-6, atol=1e-8)
    close(sum(expected), 0.0, atol=1e-13)


def test_eq_product():
    x_hat = (X - MEAN) / np.sqrt(VAR)
    A, B = np.outer(ONES, ONES) / M, np.outer(x_hat, x_hat) / M
    gradients, _ = backward(eps=0.0)
    close(gradients.dx[:, 0], GAMMA / np.sqrt(VAR) * (np.eye(M) - A) @ (np.eye(M) - B) @ DY)
    close((np.eye(M) - A) @ (np.eye(M) - B), np.eye(M) - A - B + A @ B)


def test_the_product_names_each_path_also_where_the_fourth_does_not_vanish():
    center = MEAN + 0.8
    std = np.sqrt(((X - center) ** 2).mean())
    z = (X - center) / std
    A, B = np.outer(ONES, ONES) / M, np.outer(z, z) / M

    def loss(x):
        moved = center + (x - X).mean()  # a center that follows the mean, and is not the mean
        return (DY * (x - moved) / np.sqrt(((x - moved) ** 2).mean())).sum()

    close((np.eye(M) - A - B + A @ B) @ DY / std, numerical(loss, X), rtol=1e-6, atol=1e-9)
    assert np.abs(A @ B).max() > 0.01


def test_eq_ab():
    x_hat = (X - MEAN) / np.sqrt(VAR)
    close(np.outer(ONES, ONES) @ np.outer(x_hat, x_hat), 0.0, atol=1e-13)
    close(ONES @ x_hat, 0.0, atol=1e-13)


@pytest.mark.parametrize("center", [MEAN, 3.0, 0.0, 10.0])
def test_eq_share(center):
    delta = center - MEAN
    close(share_through_variance(X, center, eps=0.0), abs(delta) / np.sqrt(VAR + delta**2), rtol=0.03, atol=1e-12)


def test_eq_closed():
    expected = GAMMA / STD * (DY - DY.mean() - X_HAT * (DY * X_HAT).mean())
    close(backward()[0].dx[:, 0], expected)


def test_eq_leverage():
    x_hat = (X - MEAN) / np.sqrt(VAR)
    kept = [backward(dy=row, eps=0.0, gamma=1.0)[0].dx[i, 0] * np.sqrt(VAR) for i, row in enumerate(np.eye(M))]
    close(kept, 1 - 1 / M - x_hat**2 / M)


def test_eq_projection():
    x_hat = (X - MEAN) / np.sqrt(VAR)
    P = np.eye(M) - np.outer(ONES, ONES) / M - np.outer(x_hat, x_hat) / M
    jacobian = np.stack([backward(dy=row, eps=0.0, gamma=1.0)[0].dx[:, 0] for row in np.eye(M)], axis=1)
    close(np.sqrt(VAR) * jacobian, P, atol=1e-13)
    close(P @ P, P, atol=1e-13)
    close(P @ ONES, 0.0, atol=1e-13)
    close(P @ x_hat, 0.0, atol=1e-13)
    assert np.linalg.matrix_rank(P) == M - 2


def test_eq_sum_zero():
    close(backward()[0].dx.sum(), 0.0, atol=1e-13)


@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.1])
def test_eq_orthogonal(eps):
    x_hat = (X - MEAN) / np.sqrt(VAR + eps)
    expected = GAMMA / np.sqrt(VAR + eps) * eps / (VAR + eps) * (DY @ x_hat)
    close(backward(eps=eps)[0].dx[:, 0] @ x_hat, expected, atol=1e-12)


def test_eq_two():
    close(backward(X[:2], DY[:2], eps=0.0)[0].dx, 0.0, atol=1e-13)


WEIGHTS, PROBLEM = np.random.default_rng(1).standard_normal((8, 1)), make_problem()


def test_eq_scale_invariance():
    loss = loss_and_gradient(WEIGHTS, PROBLEM, eps=0.0)[0]
    close(loss_and_gradient(3.3 * WEIGHTS, PROBLEM, eps=0.0)[0], loss)


def test_eq_du():
    u = PROBLEM.u

    def dx_du(weights):
        _, cache = batch_norm_forward(u @ weights, np.ones(1), np.zeros(1), eps=0.0)
        dy = np.random.default_rng(2).standard_normal((len(u), 1))
        return batch_norm_backward(dy, cache).dx @ weights.T

    close(dx_du(5.0 * WEIGHTS), dx_du(WEIGHTS))


def test_eq_dw():
    gradient = loss_and_gradient(WEIGHTS, PROBLEM, eps=0.0)[1]
    close(loss_and_gradient(10.0 * WEIGHTS, PROBLEM, eps=0.0)[1], gradient / 10.0)


def test_eq_right_angle():
    gradient = loss_and_gradient(WEIGHTS, PROBLEM, eps=0.0)[1]
    close((WEIGHTS * gradient).sum(), 0.0, atol=1e-14)


def test_eq_pythagoras():
    run = descend(WEIGHTS, PROBLEM, rate=2.0, steps=5)
    close(run.norm[1:] ** 2, run.norm[:-1] ** 2 + 4.0 * run.gradient_norm[:-1] ** 2)


def test_eq_effective_rate():
    plain, twice = (descend(a * WEIGHTS, PROBLEM, rate=0.1 * a * a, steps=20) for a in (1.0, 3.0))
    close(twice.weights, 3.0 * plain.weights)
    close(twice.loss, plain.loss)


def test_eq_balance():
    decay, rate = 0.1, 0.1
    run = descend(WEIGHTS, PROBLEM, rate=rate, steps=4000, decay=decay, batch=16)
    late = slice(2000, None)
    g_squared = ((run.gradient_norm[late] * run.norm[late]) ** 2).mean()
    close((run.norm[late] ** 4).mean(), rate * g_squared / (2 * decay), rtol=0.05)


def test_eq_adam_balance():
    d, rate, decay, rng = 400, 0.01, 0.5, np.random.default_rng(0)
    w, square, lengths, turns = rng.standard_normal(d), np.ones(d), [], []
    for step in range(3000):
        g = rng.standard_normal(d)
        g = (g - w * (w @ g) / (w @ w)) / np.linalg.norm(w)
        square = 0.99 * square + 0.01 * g * g
        change = rate * g / np.sqrt(square)
        if step >= 2000:
            lengths.append(w @ w)
            turns.append(np.linalg.norm(change) / np.linalg.norm(w))
        w = (1 - rate * decay) * w - change
    close(np.mean(lengths), rate * d / (2 * decay), rtol=0.05)
    close(np.mean(turns), np.sqrt(2 * rate * decay), rtol=0.05)


def test_eq_blind():
    for eps, bound in ((0.0, 1e-13), (1e-5, 1e-4)):
        for dy in (ONES, 2.0 * (GAMMA * X_HAT + 0.3)):
            assert np.abs(backward(dy=dy, eps=eps)[0].dx).max() < bound


def test_eq_vjp():
    v = np.random.default_rng(3).standard_normal(M)

    def output(t):
        x = X + t * v
        return GAMMA * (x - x.mean()) / np.sqrt(x.var() + EPS)

    h = 1e-6
    close(DY @ (output(h) - output(-h)) / (2 * h), backward()[0].dx[:, 0] @ v, rtol=1e-7)


def test_eq_complex_step():
    v = np.random.default_rng(4).standard_normal((M, 1))
    y, _ = batch_norm_forward(X[:, None] + 1e-100j * v, np.array([GAMMA]), np.zeros(1), eps=EPS)
    close(DY @ (y.imag / 1e-100)[:, 0], backward()[0].dx[:, 0] @ v[:, 0])
