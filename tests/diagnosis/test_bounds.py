from typing import Any

import mpmath
import numpy as np
import pytest

from bncourse.diagnosis.bounds import condition, distance, tolerance
from bncourse.diagnosis.evidence.correct_programs import RIGHT, Right

EPS = 0.1


def exact(x: Any, gamma: Any, beta: Any, dy: Any) -> tuple[Any, Any]:
    """y and dx of one feature at 60 digits, from the definition."""
    with mpmath.workdps(60):
        x, dy = ([mpmath.mpf(float(value)) for value in column] for column in (x, dy))
        gamma, beta, eps, count = mpmath.mpf(float(gamma)), mpmath.mpf(float(beta)), mpmath.mpf(EPS), len(x)
        mean = mpmath.fsum(x) / count
        s = 1 / mpmath.sqrt(mpmath.fsum((value - mean) ** 2 for value in x) / count + eps)
        x_hat = [(value - mean) * s for value in x]
        dy_mean = mpmath.fsum(dy) / count
        along = mpmath.fsum(a * b for a, b in zip(dy, x_hat, strict=True)) / count
        y = [float(gamma * value + beta) for value in x_hat]
        dx = [float(gamma * s * (a - dy_mean - b * along)) for a, b in zip(dy, x_hat, strict=True)]
        return np.array(y), np.array(dx)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("offset", [0.0, 3.0, 1e2, 1e4])
@pytest.mark.parametrize("count", [4, 33])
def test_right_code_of_every_style_stays_within_the_bound(count: int, offset: float, dtype: Any) -> None:
    rng = np.random.default_rng(5)
    x = (rng.standard_normal((count, 3)) * [0.4, 1.0, 3.0] + offset).astype(dtype)
    gamma, beta, dy = (value.astype(dtype) for value in (rng.uniform(0.5, 2, 3), rng.standard_normal(3), x * 0))
    dy = rng.standard_normal(x.shape).astype(dtype)
    kappa = condition(x, EPS)
    columns = [exact(x[:, c], gamma[c], beta[c], dy[:, c]) for c in range(3)]
    y, dx = (np.stack(values, axis=1) for values in zip(*columns, strict=True))
    g = np.abs(gamma) / np.sqrt(x.astype(np.float64).var(axis=0) + EPS)
    one: Right
    for one in RIGHT:
        single = one.name == "float32 inside"
        bound = tolerance(count, kappa, np.float32 if single else dtype)
        found, cache = one.forward(x.copy(), gamma.copy(), beta.copy(), eps=EPS)
        gradients = one.backward(dy.copy(), cache)
        found_dx = gradients["dx"] if isinstance(gradients, dict) else gradients[0]
        assert distance(np.asarray(found, float), y, 2 * np.abs(gamma) + np.abs(beta)) <= bound, one.name
        assert distance(np.asarray(found_dx, float), dx, g * np.abs(dy).max()) <= bound, one.name


def test_the_bound_is_not_so_wide_that_it_says_nothing() -> None:
    assert tolerance(7, 4.0) == 1e-9
    assert tolerance(7, 4.0, np.float32) < 2e-4
    assert tolerance(1000, 1e2, np.float64) < 1e-7


def test_what_is_not_finite_or_of_another_shape_is_infinitely_far() -> None:
    one = np.ones(3)
    assert distance(np.array([1.0, np.nan, 1.0]), one, one) == np.inf
    assert distance(np.ones(4), one, one) == np.inf
