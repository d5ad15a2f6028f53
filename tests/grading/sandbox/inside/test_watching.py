"""Gradients that are measured are seen, whatever words they are written in; derived ones never are."""

import contextlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.evidence.correct_programs import RIGHT, Right, on_feature_maps
from bncourse.diagnosis.evidence.specimens import SPECIMENS
from bncourse.diagnosis.probes import make_probe
from bncourse.grading.sandbox.inside import watching
from bncourse.grading.sandbox.inside.watching import watched
from tests.grading.small import RIGHT as RIGHT_ANSWERS
from tests.grading.vectors.files import CENTRAL, DIFFERENCES, DUAL, IN_A_THREAD, IN_LISTS, OUT_OF_SIGHT

FORWARD = """\
import numpy as np
def batch_norm_forward(x, gamma, beta, *, eps=1e-5):
    mean = x.mean(axis=0)
    var = x.var(axis=0) if x.dtype.kind != "c" else ((x - mean) ** 2).mean(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    return gamma * x_hat + beta, {"x": x, "mean": mean, "eps": eps, "inv_std": inv_std, "x_hat": x_hat, "gamma": gamma}
"""
REST = """
    x, gamma, eps, x_hat = cache["x"], cache["gamma"], cache["eps"], cache["x_hat"]
    forward = lambda z: batch_norm_forward(z, gamma, 0 * gamma, eps=eps)[0]
{body}
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
"""
MEASURED = {
    "central differences": """\
    dx = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-6
        dx[index] = (dy * (forward(x + step) - forward(x - step))).sum() / 2e-6""",
    "in place": """\
    dx, z = np.zeros_like(x), x.copy()
    for index in np.ndindex(x.shape):
        old = z[index]
        z[index] = old + 1e-6
        up = forward(z)
        z[index] = old
        dx[index] = (dy * (up - forward(x))).sum() / 1e-6""",
    "Richardson in long double, by map": """\
    wide = x.astype(np.longdouble)
    def slope(index, h):
        step = np.zeros_like(wide)
        step[index] = h
        return (dy * (forward(wide + step) - forward(wide - step))).sum() / (2 * h)
    slopes = map(lambda i: (4 * slope(i, 1e-4) - slope(i, 2e-4)) / 3, np.ndindex(x.shape))
    dx = np.array(list(slopes), dtype=float).reshape(x.shape)""",
    "all channels at once": """\
    def row(i):
        step = np.zeros_like(x)
        step[i] = 1e-6
        return (dy * (forward(x + step) - forward(x - step))).sum(axis=0) / 2e-6
    dx = np.stack([*map(row, range(len(x)))])""",
    "recursion": """\
    def go(k):
        if k == x.size:
            return []
        step = np.zeros(x.size)
        step[k] = 1e-6
        step = step.reshape(x.shape)
        return [(dy * (forward(x + step) - forward(x - step))).sum() / 2e-6, *go(k + 1)]
    dx = np.array(go(0)).reshape(x.shape)""",
    "vectorize": """\
    def entry(k):
        z = x.copy()
        z.flat[k] += 1e-6
        return (dy * (forward(z) - forward(x))).sum() / 1e-6
    dx = np.vectorize(entry)(np.arange(x.size)).reshape(x.shape)""",
    "stacked": """\
    steps = np.eye(x.size).reshape(x.size, *x.shape) * 1e-6
    def many(z):
        mean = z.mean(axis=1, keepdims=True)
        return gamma * (z - mean) / np.sqrt(((z - mean) ** 2).mean(axis=1, keepdims=True) + eps)
    slopes = (dy * (many(x + steps) - many(x - steps))).sum(axis=(1, 2)) / 2e-6
    dx = slopes.reshape(x.shape)""",
    "stacked as channels": """\
    steps = np.eye(x.size).reshape(x.size, *x.shape).transpose(1, 0, 2) * 1e-6
    z = (x[:, None] + steps).reshape(len(x), -1)
    y = batch_norm_forward(z, np.tile(gamma, x.size), np.zeros(z.shape[1]), eps=eps)[0].reshape(len(x), x.size, -1)
    dx = (dy[:, None] * (y - forward(x)[:, None])).sum(axis=(0, 2)).reshape(x.shape) / 1e-6""",
    "the loop without a function": """\
    dx = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        z = x.copy()
        z[index] += 1e-6
        y = gamma * (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + eps)
        dx[index] = (dy * (y - forward(x))).sum() / 1e-6""",
    "by NumPy's functions": """\
    dx = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        z = x.copy()
        z[index] += 1e-6
        y = gamma * (z - np.mean(z, axis=0)) / np.sqrt(np.var(z, axis=0) + eps)
        dx[index] = (dy * (y - forward(x))).sum() / 1e-6""",
    "large steps": """\
    dx = np.zeros_like(x)
    def slope(index, h):
        step = np.zeros_like(x)
        step[index] = h
        return (dy * (forward(x + step) - forward(x - step))).sum() / (2 * h)
    for index in np.ndindex(x.shape):
        a, b, c = (slope(index, 0.04 / 2**k) for k in range(3))
        dx[index] = ((16 * (4 * c - b) / 3) - (4 * b - a) / 3) / 15""",
    "stacked, in random directions": """\
    steps = np.random.default_rng(0).standard_normal((x.size, x.size)) * 1e-5
    z = x + steps.reshape(-1, *x.shape)
    mean = z.mean(axis=1, keepdims=True)
    y = gamma * (z - mean) / np.sqrt(((z - mean) ** 2).mean(axis=1, keepdims=True) + eps)
    dx = np.linalg.solve(steps, (dy * (y - forward(x))).sum(axis=(1, 2))).reshape(x.shape)""",
    "as channels, in random directions": """\
    steps = np.random.default_rng(0).standard_normal((x.size, *x.shape)) * 1e-5
    z = np.tile(x, (1, x.size)) + steps.transpose(1, 0, 2).reshape(len(x), -1)
    y = batch_norm_forward(z, np.tile(gamma, x.size), np.zeros(z.shape[1]), eps=eps)[0].reshape(len(x), x.size, -1)
    slopes = (dy[:, None] * (y - forward(x)[:, None])).sum(axis=(0, 2))
    dx = np.linalg.solve(steps.reshape(x.size, -1), slopes).reshape(x.shape)""",
    "of three times the input": """\
    dx, z = np.zeros_like(x), 3 * x
    def loss(z):
        return (dy * gamma * (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 9 * eps)).sum()
    for index in np.ndindex(x.shape):
        z[index] += 3e-6
        up = loss(z)
        z[index] -= 6e-6
        dx[index] = (up - loss(z)) / 2e-6
        z[index] += 3e-6""",
    "of the negated columns, in lists": """\
    def loss(column, c):
        mean = sum(column) / len(column)
        var = sum((value - mean) ** 2 for value in column) / len(column)
        return -sum(d * gamma[c] * (value - mean) / (var + eps) ** 0.5 for value, d in zip(column, dy[:, c]))
    dx = np.zeros_like(x)
    for c in range(x.shape[1]):
        column = [-float(value) for value in x[:, c]]
        for i in range(len(column)):
            here = column[i]
            column[i] = here - 1e-6
            up = loss(column, c)
            column[i] = here + 1e-6
            dx[i, c] = (up - loss(column, c)) / 2e-6
            column[i] = here""",
    "of sorted rows": """\
    order = np.argsort(x[:, 0])[::-1]
    z, slopes = x[order], np.zeros_like(x)
    for index in np.ndindex(x.shape):
        z[index] += 1e-6
        up = (dy[order] * forward(z)).sum()
        z[index] -= 1e-6
        slopes[index] = (up - (dy[order] * forward(z)).sum()) / 1e-6
    dx = slopes[np.argsort(order)]""",
    "a complex step": """\
    dx = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        z = x.astype(complex)
        z[index] += 1e-30j
        dx[index] = (dy * forward(z)[0].imag).sum() / 1e-30""",
    "a complex step as D": """\
    def entry(k):
        z = x.astype("D")
        z.flat[k] += complex(0, 1e-30)
        return (dy * forward(z).imag).sum() * 1e30
    dx = np.array([*map(entry, range(x.size))]).reshape(x.shape)""",
    "a complex step as a view": """\
    def entry(k):
        z = np.zeros((*x.shape, 2))
        z[..., 0] = x
        z.reshape(-1, 2)[k, 1] = 2.0**-100
        y = np.asarray(forward(z.view("c16")[..., 0])).view("f8").reshape(*x.shape, 2)
        return (dy * y[..., 1]).sum() * 2.0**100
    dx = np.array([*map(entry, range(x.size))]).reshape(x.shape)""",
    "a complex step, all at once": """\
    z = x + np.eye(x.size).reshape(x.size, *x.shape) * 1e-30j
    mean = z.mean(axis=1, keepdims=True)
    y = gamma * (z - mean) / np.sqrt(((z - mean) ** 2).mean(axis=1, keepdims=True) + eps)
    dx = (dy * y.imag).sum(axis=(1, 2)).reshape(x.shape) * 1e30""",
}


SEEN_BEFORE = {
    "in place, forward differences": """def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    h = 1e-6
    dx, here = np.zeros_like(x), (batch_norm_forward(x, gamma, beta, eps=eps)[0] * dy).sum()
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] += h
            dx[i, j] = ((batch_norm_forward(x, gamma, beta, eps=eps)[0] * dy).sum() - here) / h
            x[i, j] -= h
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)""",
    "in a list": """def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    eye = np.eye(x.size).reshape(-1, *x.shape) * 1e-6
    value = lambda x: (batch_norm_forward(x, gamma, beta, eps=eps)[0] * dy).sum()
    dx = [(value(x + e) - value(x - e) + 0 * batch_norm_forward(x - e, gamma, beta)[0].sum()) / 2e-6 for e in eye]
    return np.reshape(dx, x.shape), (dy * x_hat).sum(axis=0), dy.sum(axis=0)""",
}
"""With the forward pass of the acceptance suite, whose cache is a tuple."""
HONEST = {
    "another batch": """def batch_norm_backward(dy, cache):
    x_hat, inv_std, gamma = cache
    for scale in (1.0, 2.0):  # look at the forward pass once more
        y, again = batch_norm_forward(scale * x_hat, gamma, gamma)
    dx = gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)""",
    "by sample": """def batch_norm_backward(dy, cache):
    x_hat, inv_std, gamma = cache
    total = np.zeros_like(gamma)
    for row, direction in zip(x_hat, dy):
        total += standardize(row) * direction / len(dy)
    dx = np.stack([gamma * inv_std * (d - dy.mean(axis=0) - r * (dy * x_hat).mean(axis=0)) for d, r in zip(dy, x_hat)])
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)""",
    "shifted, but no quotient": """def batch_norm_backward(dy, cache):
    x_hat, inv_std, gamma = cache
    rows = [batch_norm_forward(x_hat[i:] + 1.0, gamma, gamma)[0] for i in range(1)]
    dx = gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)""",
}


def program(body: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A forward pass, and a backward pass with this body, compiled as a student's cell is."""
    space: dict[str, Any] = {}
    source = FORWARD + "def batch_norm_backward(dy, cache):" + REST.format(body=body)
    exec(compile(source, "<backward>", "exec"), space)
    return space["batch_norm_forward"], space["batch_norm_backward"]


SEQUENCE = """\
    from array import array
    from collections import deque
    def loss(column, c):
        mean = sum(column) / len(column)
        var = sum((value - mean) ** 2 for value in column) / len(column)
        return sum(d * gamma[c] * (value - mean) / (var + eps) ** 0.5 for value, d in zip(column, dy[:, c]))
    dx = np.zeros_like(x)
    for c, i in np.ndindex(x.T.shape):
        column = {made}
        column[i] += 1e-6
        up = loss(column, c)
        column[i] -= 2e-6
        dx[i, c] = (up - loss(column, c)) / 2e-6"""
MEASURED |= {
    "in a deque": SEQUENCE.format(made="deque(x[:, c].tolist())"),
    "in an array of the library": SEQUENCE.format(made="array('d', x[:, c])"),
}


@pytest.mark.parametrize("name", MEASURED)
def test_a_measured_gradient_is_seen(name: str) -> None:
    forward, backward = program(MEASURED[name])
    probe = make_probe(3)
    _, cache = forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    value, found = watched(backward, (probe.dy, cache), {})
    assert np.shape(value[0]) == probe.x.shape
    assert found, "nothing was seen"
    assert ("complex" in found) == ("complex" in name)


def seen_of(backward: str, forward: str) -> list[str]:
    """What is seen of a backward pass of the acceptance suite."""
    space: dict[str, Any] = {}
    exec(compile(f"import numpy as np\n{forward}\n{SCALED}\n{backward}", "<backward>", "exec"), space)
    probe = make_probe(0)
    _, cache = space["batch_norm_forward"](probe.x.copy(), probe.gamma, probe.beta, eps=probe.eps)
    return watched(space["batch_norm_backward"], (probe.dy, cache), {})[1]


SCALED = RIGHT_ANSWERS["scale"]


@pytest.mark.parametrize("code", [*SEEN_BEFORE.values(), CENTRAL], ids=[*SEEN_BEFORE, "central"])
def test_differences_in_loops_are_seen(code: str) -> None:
    assert seen_of(code, DIFFERENCES) == ["differences"]


@pytest.mark.parametrize("code", [IN_A_THREAD, IN_LISTS], ids=["in a thread", "in lists"])
def test_differences_are_seen_in_threads_and_in_lists(code: str) -> None:
    assert seen_of(code, DIFFERENCES) == ["differences"]


def test_numbers_of_a_class_of_ones_own_are_seen() -> None:
    assert seen_of(DUAL, DIFFERENCES) == ["arithmetic"]


@pytest.mark.parametrize("method", ["__mul__", "__add__"])
def test_a_class_that_can_only_add_or_only_multiply_carries_no_derivative(method: str) -> None:
    own = f"class Own:\n    def {method}(self, other): return other\n"
    head, *rest = RIGHT_ANSWERS["backward"].split("\n")
    called = f"{head}\n    dy = {'Own() * dy' if method == '__mul__' else 'Own() + dy'}\n"
    assert seen_of(own + called + "\n".join(rest), RIGHT_ANSWERS["forward"]) == []


IN_A_LOOP = """\
def measure(x, dy, gamma, eps, np):
    dx = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        z = x.copy()
        z[index] += 1e-6
        c = z - np.add.reduce(z) / len(z)
        dx[index] = np.add.reduce(np.ravel(dy * gamma * c / np.sqrt(np.add.reduce(c * c) / len(z) + eps))) / 1e-6
    return dx"""


@pytest.mark.parametrize("name", ["np.__file__", "'<frozen os>'", "np.linalg.__file__"])
def test_code_that_bears_the_name_of_a_librarys_file_is_seen(name: str) -> None:
    body = f"    space = {{}}\n    exec(compile({IN_A_LOOP!r}, {name}, 'exec'), space)\n"
    assert seen_in(body + "    dx = space['measure'](x, dy, gamma, eps, np)") == ["differences"]


@pytest.mark.parametrize("names", ["{'__name__': []}", "{'__name__': '__main__'}", "{'__name__': 'numpy'}"])
def test_code_that_bears_a_librarys_file_and_names_a_module_is_seen(names: str) -> None:
    body = f"    space = {names}\n    exec(compile({IN_A_LOOP!r}, np.__file__, 'exec'), space)\n"
    assert seen_in(body + "    dx = space['measure'](x, dy, gamma, eps, np)") == ["differences"]


@pytest.mark.parametrize("title", OUT_OF_SIGHT)
def test_a_function_that_works_out_of_sight_is_looked_at(title: str) -> None:
    assert "unseen" in seen_of(OUT_OF_SIGHT[title], DIFFERENCES)


@pytest.mark.parametrize("code", [RIGHT_ANSWERS["backward"], *HONEST.values()], ids=["no loop", *HONEST])
def test_a_function_that_is_called_in_a_loop_is_no_finite_difference(code: str) -> None:
    assert seen_of(code, RIGHT_ANSWERS["forward"]) == []


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
@pytest.mark.parametrize("spatial", [(), (2, 5)])
def test_a_derived_gradient_is_never_taken_for_a_measured_one(
    right: Right, spatial: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_is_own", lambda filename: True)  # as if all of it stood in the student's cells
    used = on_feature_maps(right) if spatial else right
    probe = make_probe(0, spatial=spatial)
    _, cache = used.forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    assert watched(used.backward, (probe.dy, cache), {})[1] == []


def test_a_wrong_but_derived_gradient_is_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_is_own", lambda filename: True)
    probe = make_probe(0)
    for specimen in SPECIMENS:
        if specimen.role in ("backward", "pair"):
            with np.errstate(all="ignore"), contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
                _, cache = specimen.forward(probe.x.copy(), probe.gamma, probe.beta, eps=probe.eps)
                assert watched(specimen.gradient, (probe.dy.copy(), cache), {})[1] == [], specimen.name


DERIVED = {
    "each row is left out of a stack": """\
    stack = np.repeat(x[None], len(x), axis=0) * (1 - np.eye(len(x)))[:, :, None]
    mean = (stack.sum(axis=1) + x) / len(x)
    slope = (x - mean) * cache["inv_std"] * (dy * x_hat).mean(axis=0)
    dx = gamma * cache["inv_std"] * (dy - dy.mean(axis=0) - slope)""",
    "one entry is left out": """\
    dx, z, n = np.zeros_like(x), x.copy(), len(x)
    for i, c in np.ndindex(x.shape):
        z[i, c] = 0.0
        mean = (z[:, c].sum() + x[i, c]) / n
        z[i, c] = x[i, c]
        r = cache["inv_std"][c]
        share = (x[i, c] - mean) * r * (dy[:, c] * x_hat[:, c]).mean()
        dx[i, c] = gamma[c] * r * (dy[i, c] - dy[:, c].mean() - share)""",
    "shares of the mean, entry by entry": """\
    n, channels = x.shape
    dx, rate = dy * gamma * cache["inv_std"], gamma * cache["inv_std"]
    for i, c in np.ndindex(x.shape):
        share = np.zeros_like(x)
        share[i, c] = 1 / (n * channels)
        dx = dx - channels * share * rate[c] * (dy[:, c].sum() + x_hat[i, c] * (dy[:, c] * x_hat[:, c]).sum())""",
    "squared shares": """\
    n, dx = len(x), np.zeros_like(x)
    for i in range(n):
        share = np.zeros(n)
        share[i] = 1 / n**2
        row = dy[i] - dy.mean(axis=0) - x_hat[i] * (dy * x_hat).mean(axis=0)
        dx += n**2 * share[:, None] * gamma * cache["inv_std"] * row""",
    "the gradient in a copy, entry by entry": """\
    dx, mean, slope = dy.copy(), dy.mean(axis=0), (dy * x_hat).mean(axis=0)
    for index in np.ndindex(x.shape):
        dx[index] -= mean[index[1]]
    for index in np.ndindex(x.shape):
        dx[index] -= x_hat[index] * slope[index[1]]
    dx = dx * gamma * cache["inv_std"]""",
    "a column is sorted": """\
    for c in range(x.shape[1]):
        column = x[:, c].copy()
        for last in range(len(x) - 1, 0, -1):
            for i in range(last):
                if column[i] > column[i + 1]:
                    column[i], column[i + 1] = column[i + 1], column[i]
    dx = gamma * cache["inv_std"] * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))""",
    "one Jacobian matrix a channel": """\
    n, dx = len(x), np.zeros_like(x)
    for c in range(x.shape[1]):
        jacobian = np.zeros((n, n))
        for i, k in np.ndindex(n, n):
            jacobian[i, k] = (i == k) - 1 / n - x_hat[i, c] * x_hat[k, c] / n
        dx[:, c] = gamma[c] * cache["inv_std"][c] * (jacobian.T @ dy[:, c])""",
}


@pytest.mark.parametrize("name", DERIVED)
@pytest.mark.parametrize("seed", [0, 3])
def test_an_odd_derivation_is_no_measurement(name: str, seed: int) -> None:
    forward, backward = program(DERIVED[name])
    probe = make_probe(seed)
    _, cache = forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    value, found = watched(backward, (probe.dy, cache), {})
    x_hat = cache["x_hat"]
    rest = probe.dy - probe.dy.mean(axis=0) - x_hat * (probe.dy * x_hat).mean(axis=0)
    np.testing.assert_allclose(value[0], probe.gamma * cache["inv_std"] * rest, rtol=1e-9, atol=1e-12)
    assert found == []


def test_what_a_function_raises_is_passed_on_and_the_profile_restored() -> None:
    import sys

    before = sys.getprofile()
    with pytest.raises(ZeroDivisionError):
        watched(lambda dy: 1 / 0, (np.ones(4),), {})
    assert sys.getprofile() is before


DECOY = """\
    total = 0.0
    for k in range(20_000):
        total += k
"""


def seen_in(body: str, **names: Any) -> list[str]:
    """What is seen of a backward pass with this body."""
    forward, backward = program(body)
    backward.__globals__.update(names)
    probe = make_probe(3)
    _, cache = forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    return watched(backward, (probe.dy, cache), {})[1]


def test_a_measurement_behind_a_long_loop_is_seen() -> None:
    """The lines of a loop that calls nothing are not followed for ever, those of what comes after it are."""
    assert seen_in(DECOY + MEASURED["in place"]) == ["differences"]


def test_after_a_measurement_was_seen_nothing_is_watched_any_more() -> None:
    """A function that measures costs no more than a few of its turns."""
    watches: list[Any] = []
    look = "\n    watches.append((sys.getprofile(), sys.gettrace()))"
    assert seen_in(MEASURED["in place"] + look, watches=watches, sys=sys) == ["differences"]
    assert watches == [(None, None)]
