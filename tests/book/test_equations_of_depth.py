"""Every numbered equation of the chapter on depth is computed; a test bears its equation's label."""

from itertools import combinations

import numpy as np

from bncourse.experiments import recorded
from bncourse.experiments.one_update import chain

RNG = np.random.default_rng(0)


def test_eq_chain_update() -> None:
    w, g, rate = 1 + 0.1 * RNG.standard_normal(4), RNG.standard_normal(4), 0.1
    orders = [
        (-rate) ** k
        * sum(np.prod(g[list(moved)]) * np.prod(np.delete(w, list(moved))) for moved in combinations(range(4), k))
        for k in range(5)
    ]
    np.testing.assert_allclose(np.prod(w - rate * g), sum(orders), rtol=1e-12, atol=0)
    ones = chain(np.array([1.0, -1.0]), np.ones(32), 0.1, normalized=False)  # every gradient is -1
    np.testing.assert_allclose(ones["orders"][1], 496 * 0.1**2, rtol=1e-9, atol=0)


def signals(norm: str, depth: int) -> np.ndarray:
    return recorded("depth").values("signal", part="start", shape="residual", norm=norm, depth=depth)


def test_eq_branch_growth() -> None:
    with_norm, without = signals("batch", 64), signals("none", 64)
    added = np.diff(with_norm, axis=1).mean(axis=0)
    np.testing.assert_allclose(added[:32].mean(), added[32:].mean(), rtol=0.1, atol=0)  # by addition
    factors = np.log(without[:, [0, 32, 64]]).mean(axis=0)
    np.testing.assert_allclose(factors[2] - factors[1], factors[1] - factors[0], rtol=0.25, atol=0)  # by a factor


def test_eq_branch_share() -> None:
    for depth in (8, 32, 64):
        signal = signals("batch", depth).mean(axis=0)
        v = (signal[-1] - signal[0]) / depth
        share = recorded("depth").values("last_share", part="start", shape="residual", norm="batch", depth=depth)
        np.testing.assert_allclose(share.mean(), v / (signal[0] + depth * v), rtol=0.15, atol=0)
        np.testing.assert_allclose(share.mean(), 1 / depth, rtol=0.2, atol=0)


def test_eq_branch_relu() -> None:
    z = np.linspace(-12, 12, 200_001)
    p = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    relu = np.maximum(z, 0)
    np.testing.assert_allclose(2 * (p @ relu**2 - (p @ relu) ** 2), 1 - 1 / np.pi, rtol=1e-6, atol=0)
    signal = signals("batch", 32).mean(axis=0)
    np.testing.assert_allclose((signal[-1] - signal[0]) / 32, 1 - 1 / np.pi, rtol=0.1, atol=0)
