"""Every numbered equation of the later chapters of the part Beyond is computed; a test bears its equation's label."""

from collections.abc import Callable

import numpy as np

from bncourse.experiments import recorded
from bncourse.experiments.cost import PASSES
from bncourse.experiments.scale_invariance import loss_and_gradient, make_problem
from bncourse.numpy_bn import batch_norm_forward
from bncourse.numpy_bn.recurrent import CellParameters, lstm_step_forward

RNG = np.random.default_rng(0)


def close(found: object, expected: object, *, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def test_eq_camera() -> None:
    x, b = RNG.standard_normal((40, 5)), RNG.standard_normal(5)
    w, eps = RNG.standard_normal((5, 3)), 0.1
    z = x @ w
    for a in (0.3, -2.0):
        z_new = (a * x + b) @ w
        close(z_new.mean(axis=0), a * z.mean(axis=0) + b @ w)
        close(z_new.var(axis=0), a**2 * z.var(axis=0))
        new, _ = batch_norm_forward(z_new, np.ones(3), np.zeros(3), eps=eps)
        old, _ = batch_norm_forward(z, np.ones(3), np.zeros(3), eps=eps / a**2)
        close(new, np.sign(a) * old)


def smoothness(gradient: Callable[[np.ndarray], np.ndarray], w: np.ndarray, lengths: list[float]) -> float:
    """Effective smoothness as the book defines it, over way-points of these lengths."""
    g = gradient(w)
    size = np.linalg.norm(g)
    return max(np.linalg.norm(gradient(w - length * g) - g) / (length * size) for length in lengths)


def test_eq_smoothness() -> None:
    # along an eigenvector of a quadratic, the smoothness is the eigenvalue
    curvature = np.diag([3.0, 0.5])
    close(smoothness(lambda w: curvature @ w, np.array([2.0, 0.0]), [0.1, 0.7]), 3.0)


def test_eq_rescaled() -> None:
    problem, w, a = make_problem(), RNG.standard_normal((8, 1)), 7.0

    def gradient(w: np.ndarray) -> np.ndarray:
        return loss_and_gradient(w, problem, eps=0.0)[1]

    close(gradient(a * w), gradient(w) / a)
    lengths = [0.2, 1.0]
    longer = smoothness(gradient, a * w, [a**2 * length for length in lengths])
    close(longer, smoothness(gradient, w, lengths) / a**2)


def test_eq_explosion() -> None:
    z = np.linspace(-12, 12, 200_001)
    p = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    relu = np.maximum(z, 0)
    variance = p @ relu**2 - (p @ relu) ** 2
    close(variance, 0.5 - 1 / (2 * np.pi), rtol=1e-6)
    close(p @ (z > 0) / variance, np.pi / (np.pi - 1), rtol=1e-4)


def test_eq_bn_lstm() -> None:
    x, h, c = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2)), RNG.standard_normal((6, 2))
    shapes = ((8, 3), (8, 2), (8,), (8,), (8,), (2,), (2,))
    parameters = CellParameters(*(RNG.standard_normal(shape) for shape in shapes))
    (h_next, c_next), _ = lstm_step_forward(x, h, c, parameters, eps=0.1)

    def normalized(z: np.ndarray, gamma: np.ndarray) -> np.ndarray:
        return gamma * (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 0.1)

    from_x = normalized(x @ parameters.weight_x.T, parameters.gamma_x)
    from_h = normalized(h @ parameters.weight_h.T, parameters.gamma_h)
    i, f, g, o = np.split(from_x + from_h + parameters.bias, 4, axis=1)
    sig = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731 - as the equation names it
    close(c_next, sig(f) * c + sig(i) * np.tanh(g))
    close(h_next, sig(o) * np.tanh(normalized(c_next, parameters.gamma_c) + parameters.beta_c))


def test_eq_traffic() -> None:
    # the experiment's count of bytes is the book's, for a layer as it is recorded
    found = recorded("cost").values("bytes", part="layer", way="library", shape="32x64x28x28")
    close(found, (3 + 5) * 32 * 64 * 28 * 28 * 4, rtol=1e-5)
    assert PASSES == 3 + 5


def test_eq_ridge() -> None:
    operations, bandwidth, size = 1e11, 2e10, 4
    k = 8 * size * operations / (6 * bandwidth)
    close(6 * k / operations, 8 * size / bandwidth)
