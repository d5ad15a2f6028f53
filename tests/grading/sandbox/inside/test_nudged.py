"""Measured gradients are seen however the nudged input is held; a loop that fills an array is not taken for one."""

from typing import Any

import numpy as np
import pytest

from bncourse.grading.sandbox.inside.nudged import Given, as_array, moved_in
from bncourse.grading.sandbox.inside.watching import watched

GIVEN = """
import numpy as np
def backward(dy, cache):
    x, gamma, eps, x_hat = cache
    N, C = x.shape
    dx, y = np.zeros_like(x), gamma * x_hat
    def slope(c):
        return np.add.reduce(np.ravel(dy * (gamma * c / np.sqrt(np.add.reduce(c * c) / N + eps) - y))) / 1e-6
{body}
    return dx
"""
ENTRY = """\
    for index in np.ndindex(x.shape):
        {nudge}
        dx[index] = slope({centered})"""
PLUS, CENTERED = "z = x.copy(); z[index] += 1e-6", "z - np.add.reduce(z) / N"
MEASURED = {
    "held by name": ENTRY.format(nudge=PLUS, centered=CENTERED),
    "shifted": ENTRY.format(nudge="z = x - 3.0; z[index] += 1e-6", centered=CENTERED),
    "centered": ENTRY.format(nudge="z = x - x.mean(axis=0); z[index] += 1e-6", centered=CENTERED),
    "transposed": ENTRY.format(
        nudge="z = x.T.copy(); z[index[::-1]] += 1e-6", centered="(z - np.add.reduce(z, 1)[:, None] / N).T"
    ),
    "flat": ENTRY.format(
        nudge="z = x.ravel().copy(); z[index[0] * C + index[1]] += 1e-6",
        centered="z.reshape(N, C) - np.add.reduce(z.reshape(N, C)) / N",
    ),
    "in a dictionary": ENTRY.format(
        nudge="s = {'z': x.copy()}; s['z'][index] += 1e-6", centered="s['z'] - np.add.reduce(s['z']) / N"
    ),
    "in an object": "    class S: pass\n    s = S()\n"
    + ENTRY.format(nudge="s.z = x.copy(); s.z[index] += 1e-6", centered="s.z - np.add.reduce(s.z) / N"),
    "as a name of the notebook": "    global z\n" + ENTRY.format(nudge=PLUS, centered=CENTERED),
    "the step alone": ENTRY.format(
        nudge="e = np.zeros_like(x); e[index] = 1e-6", centered="(x + e) - np.add.reduce(x + e) / N"
    ),
    "all steps alone": """\
    steps = np.eye(x.size).reshape(-1, N, C) * 1e-6
    for k in range(x.size):
        dx.flat[k] = slope(x + steps[k] - np.add.reduce(x + steps[k]) / N)""",
    "after turns without work": """\
    for _ in range(2000):
        pass
"""
    + ENTRY.format(nudge=PLUS, centered=CENTERED),
    "a generator": """\
    def slopes():
        for index in np.ndindex(x.shape):
            z = x.copy(); z[index] += 1e-6
            yield slope(z - np.add.reduce(z) / N)
    dx = np.array([*slopes()]).reshape(x.shape)""",
    "written out": """\
    lines = [f"z = x.copy(); z[{i}, {j}] += 1e-6; dx[{i}, {j}] = slope(z - np.add.reduce(z) / N)"
             for i, j in np.ndindex(x.shape)]
    exec("\\n".join(lines))""",
    "under a library's name": """\
    text = "for i in np.ndindex(x.shape):\\n z = x.copy(); z[i] += 1e-6; dx[i] = slope(z - np.add.reduce(z) / len(x))"
    exec(compile(text, "numpy.py", "exec"), {"np": np, "x": x, "dx": dx, "slope": slope})""",
    "samples of a column, all at once": """\
    for j in range(C):
        z = x[:, j] + np.eye(N) * 1e-6
        c = z - z.mean(axis=1, keepdims=True)
        h = c / np.sqrt((c * c).mean(axis=1, keepdims=True) + eps)
        dx[:, j] = gamma[j] * ((h - x_hat[:, j]) * dy[:, j]).sum(axis=1) / 1e-6""",
    "three at a time": """\
    steps = np.eye(x.size).reshape(-1, N, C) * 1e-6
    for k in range(0, x.size, 3):
        z = x + steps[k : k + 3]
        c = z - z.mean(axis=1, keepdims=True)
        h = c / np.sqrt((c * c).mean(axis=1, keepdims=True) + eps)
        dx.flat[k : k + 3] = ((gamma * h - y) * dy).sum(axis=(1, 2)) / 1e-6""",
    "one column as a list": """\
    for i, j in np.ndindex(x.shape):
        column = x[:, j].tolist()
        column[i] += 1e-6
        mean = sum(column) / N
        std = (sum((v - mean) ** 2 for v in column) / N + eps) ** 0.5
        dx[i, j] = sum(d * ((v - mean) / std * gamma[j] - t) for v, d, t in zip(column, dy[:, j], y[:, j])) / 1e-6""",
    "lists, without NumPy": """\
    rows, back, before = x.tolist(), dy.tolist(), y.tolist()
    for i in range(N):
        for j in range(C):
            rows[i][j] += 1e-6
            mean = var = total = 0.0
            for row in rows:
                mean += row[j] / N
            for row in rows:
                var += (row[j] - mean) ** 2 / N
            for row, d, t in zip(rows, back, before):
                total += d[j] * (gamma[j] * (row[j] - mean) / (var + eps) ** 0.5 - t[j])
            dx[i, j] = total / 1e-6
            rows[i][j] = float(x[i, j])""",
    "fractions": """\
    from fractions import Fraction
    for i, j in np.ndindex(x.shape):
        column = [Fraction(v) for v in x[:, j]]
        column[i] += Fraction(1, 10**6)
        mean = sum(column) / N
        std = float(sum((v - mean) ** 2 for v in column) / N + Fraction(eps)) ** 0.5
        parts = (d * (float(v - mean) / std * gamma[j] - t) for v, d, t in zip(column, dy[:, j], y[:, j]))
        dx[i, j] = sum(parts) / 1e-6""",
}
END = "    return gamma * inv * (dy - dy.mean(axis=0) - h * (dy * h).mean(axis=0))"
FILLED = {
    "entry by entry": """\
    mean, inv, h = x.mean(axis=0), 1 / np.sqrt(x.var(axis=0) + eps), x.copy()
    for j in range(C):
        for i in range(N):
            h[i, j] = (h[i, j] - mean[j]) * inv[j]
"""
    + END,
    "row by row": """\
    mean, inv, h = x.mean(axis=0), 1 / np.sqrt(x.var(axis=0) + eps), x.copy()
    for i in range(N):
        h[i] -= mean
        h[i] *= inv
"""
    + END,
    "the gradient itself": """\
    inv, dx = 1 / np.sqrt(x.var(axis=0) + eps), dy.copy()
    for j in range(C):
        mean, along = dy[:, j].mean(), (dy[:, j] * x_hat[:, j]).mean()
        for i in range(N):
            dx[i, j] -= mean
            dx[i, j] -= x_hat[i, j] * along
            dx[i, j] *= gamma[j] * inv[j]""",
    "by what each sample gives": """\
    inv = 1 / np.sqrt(x.var(axis=0) + eps)
    for i in range(N):
        part = np.zeros_like(x)
        part[i] = gamma * inv * dy[i]
        dx += part
        for j in range(C):
            part = np.zeros_like(x)
            part[:, j] -= gamma[j] * inv[j] * dy[i, j] / N
            dx += part
            dx[:, j] -= gamma[j] * inv[j] * x_hat[i, j] * dy[i, j] * x_hat[:, j] / N""",
    "by a Jacobian matrix, from unit vectors": """\
    inv = 1 / np.sqrt(x.var(axis=0) + eps)
    for j in range(C):
        jacobian = np.zeros((N, N))
        for i in range(N):
            unit = np.zeros(N)
            unit[i] = 1.0
            jacobian[i] = gamma[j] * inv[j] * (unit - 1 / N - x_hat[i, j] * x_hat[:, j] / N)
        dx[:, j] = jacobian @ dy[:, j]""",
    "by shares of the mean": """\
    inv = 1 / np.sqrt(x.var(axis=0) + eps)
    dx = dy * gamma * inv
    for i in range(N):
        for j in range(C):
            share = np.zeros_like(x)
            share[i, j] = 1 / (N * C)
            dx -= C * share * gamma * inv * (dy.sum(axis=0) + x_hat[i] * (dy * x_hat).sum(axis=0))""",
    "by what each entry does to the mean": """\
    inv = 1 / np.sqrt(x.var(axis=0) + eps)
    by_mean, along = -gamma * inv * dy.sum(axis=0), (dy * x_hat).mean(axis=0)
    for i in range(N):
        for j in range(C):
            part = np.zeros_like(x)
            part[i, j] = by_mean[j] / N
            dx += part
    dx += gamma * inv * (dy - x_hat * along)""",
    "in lists": """\
    for j in range(C):
        column, d = x[:, j].tolist(), dy[:, j].tolist()
        mean = sum(column) / N
        for i in range(N):
            column[i] -= mean
        inv = (sum(v * v for v in column) / N + eps) ** -0.5
        for i in range(N):
            column[i] *= inv
        first, along = sum(d) / N, sum(a * b for a, b in zip(d, column)) / N
        for i in range(N):
            d[i] = gamma[j] * inv * (d[i] - first - column[i] * along)
        dx[:, j] = d""",
}
BATCHES = [
    (4, 3, 1.0, 0.05, False),
    (4, 3, 1.0, 0.05, True),
    (5, 5, 1e-3, 2.0, True),
    (16, 4, 1.0, 2.0, True),
    (3, 3, 1.0, 0.0, True),
    (12, 2, 100.0, 10.0, False),
    (11, 5, 1.0, 2.0, False),
]


def seen(
    body: str, samples: int, channels: int, scale: float, offset: float, *, standard: bool
) -> tuple[Any, Any, Any]:
    """The gradient that a backward pass finds, the right one, and what was seen of it."""
    space: dict[str, Any] = {}
    exec(compile(GIVEN.format(body=body), "<backward>", "exec"), space)
    dice = np.random.default_rng(samples * channels)
    x = dice.normal(size=(samples, channels))
    x = scale * ((x - x.mean(axis=0)) / x.std(axis=0) if standard else x) + scale * offset
    dy, gamma, eps = dice.normal(size=x.shape), np.linspace(0.5, 1.5, channels), 1e-5 * scale**2
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) * inv_std
    right = gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    value, found = watched(space["backward"], (dy, (x, gamma, eps, x_hat)), {})
    return value, right, found


@pytest.mark.parametrize("name", MEASURED)
def test_a_measurement_is_seen_however_it_holds_what_it_nudges(name: str) -> None:
    value, right, found = seen(MEASURED[name], 8, 3, 1.0, 0.5, standard=False)
    np.testing.assert_allclose(value, right, rtol=0, atol=1e-4)
    assert found in (["differences"], ["differences", "unseen"])


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_a_loop_that_fills_an_array_is_no_measurement(name: str, batch: tuple[int, int, float, float, bool]) -> None:
    *numbers, standard = batch
    value, right, found = seen(FILLED[name], *numbers, standard=standard)
    np.testing.assert_allclose(value, right, rtol=1e-6, atol=1e-8)
    assert found == []


def test_numbers_of_a_type_of_the_student_s_are_not_asked_what_they_are() -> None:
    class Asked:
        def __float__(self) -> float:
            raise AssertionError("the student's code was run")

    assert as_array([Asked()] * 4) is None and as_array([[1.0, Asked()]] * 4) is None
    assert as_array([1.0, 2, 3.0, 4.0]) is not None


def test_an_input_that_was_not_moved_is_none_that_was() -> None:
    x = np.random.default_rng(0).normal(size=(6, 2))
    moved = x.copy()
    moved[3, 1] += 1e-6
    assert [one.mask.bit_count() for one in moved_in(moved + 2.0, Given(x))] == [1]
    assert not list(moved_in(x + 2.0, Given(x))) and not list(moved_in(2.0 * x, Given(x)))
