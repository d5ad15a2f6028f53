"""The gradient check passes right code, fails wrong code, and says what it saw."""

import numpy as np
import pytest
import torch

from bncourse import numpy_bn, torch_bn
from bncourse.gradcheck import GradientMismatch, check_vjp


def cube(x):
    return x * x * x, x


def right(dy, x):
    return (3 * x * x * dy,)


POINT = np.array([[1.0, -2.0], [0.5, 3.0]])


@pytest.mark.parametrize("method", ["central", "complex"])
def test_a_right_backward_passes(method):
    for seed in range(20):
        check_vjp(cube, right, [POINT], method=method, seed=seed)


@pytest.mark.parametrize("method", ["central", "complex"])
@pytest.mark.parametrize(
    "wrong", [lambda g: 0 * g, lambda g: -g, lambda g: 1.001 * g, lambda g: g.T, lambda g: g.mean() + 0 * g]
)
def test_a_wrong_backward_fails_for_every_seed(method, wrong):
    for seed in range(20):
        with pytest.raises(GradientMismatch):
            check_vjp(cube, lambda dy, x: (wrong(right(dy, x)[0]),), [POINT], method=method, seed=seed)


def test_a_backward_that_is_right_for_a_cotangent_of_ones_only_fails():
    with pytest.raises(GradientMismatch):
        check_vjp(cube, lambda dy, x: (3 * x * x * dy.mean(),), [POINT])


def test_the_message_names_the_input_and_shows_both_numbers_under_one_another():
    with pytest.raises(GradientMismatch) as caught:
        check_vjp(cube, lambda dy, x: (2 * right(dy, x)[0],), [POINT], names=["x"])
    lines = str(caught.value).splitlines()
    assert lines[0] == "the derivative with respect to x, along a random direction:"
    assert lines[1].startswith("  from forward, by central differences")
    assert lines[2].startswith("  from backward  ")
    forward, backward = (float(line.split()[-1]) for line in lines[1:3])
    assert lines[1].index(lines[1].split()[-1][-8:]) == lines[2].index(lines[2].split()[-1][-8:])
    np.testing.assert_allclose(backward, 2 * forward, rtol=1e-6)
    assert lines[3].startswith("They differ by ")
    with pytest.raises(GradientMismatch, match="by complex step"):
        check_vjp(cube, lambda dy, x: (2 * right(dy, x)[0],), [POINT], method="complex")


def test_every_input_is_checked_and_named():
    def product(a, b):
        return a * b, (a, b)

    def backward(dy, cache):
        _, b = cache
        return dy * b, dy * b

    with pytest.raises(GradientMismatch, match="with respect to input 1"):
        check_vjp(product, backward, [POINT, POINT + 1])


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(GradientMismatch, match=r"the gradient for x has shape \(2,\), but x has shape \(2, 2\)"):
        check_vjp(cube, lambda dy, x: (np.zeros(2),), [POINT], names=["x"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_refused(bad):
    with pytest.raises(GradientMismatch, match="the gradient for input 0 is not finite"):
        check_vjp(cube, lambda dy, x: (right(dy, x)[0] + bad,), [POINT])


def test_misuse_is_refused():
    with pytest.raises(ValueError, match=r"^method is 'forward'. Expected \"central\" or \"complex\""):
        check_vjp(cube, right, [POINT], method="forward")
    with pytest.raises(ValueError, match=r"^backward returned 2 gradients for 1 inputs"):
        check_vjp(cube, lambda dy, x: (dy, dy), [POINT])


def test_step_and_tolerance_are_used():
    check_vjp(cube, lambda dy, x: (1.01 * right(dy, x)[0],), [POINT], tolerance=0.1)
    with pytest.raises(GradientMismatch):
        check_vjp(cube, right, [POINT], step=1.0)
    check_vjp(cube, right, [POINT], method="complex", step=1e-30)


def test_tensors_are_checked_as_arrays_are():
    point = torch.tensor(POINT)
    check_vjp(cube, right, [point])
    with pytest.raises(GradientMismatch):
        check_vjp(cube, lambda dy, x: (dy,), [point])


def test_a_large_input_gets_a_large_step():
    check_vjp(cube, right, [1e6 * POINT])


@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_single_precision_has_a_step_and_a_tolerance_of_its_own(make, offset):
    package = numpy_bn if make is np.asarray else torch_bn
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((8, 3)) + offset).astype(np.float32)
    inputs = [make(a) for a in (x, *rng.standard_normal((2, 3)).astype(np.float32))]

    def off(dy, cache):
        gradients = package.batch_norm_backward(dy, cache)
        return gradients._replace(dx=1.05 * gradients.dx)

    for seed in range(20):
        check_vjp(package.batch_norm_forward, package.batch_norm_backward, inputs, seed=seed)
    with pytest.raises(GradientMismatch):
        for seed in range(20):
            check_vjp(package.batch_norm_forward, off, inputs, seed=seed)


def test_the_complex_step_works_in_single_precision():
    point = POINT.astype(np.float32)
    for seed in range(20):
        check_vjp(cube, right, [point], method="complex", seed=seed)
        with pytest.raises(GradientMismatch):
            check_vjp(cube, lambda dy, x: (3.3 * x * x * dy,), [point], method="complex", seed=seed)


@pytest.mark.parametrize("half", [np.float16, torch.float16, torch.bfloat16])
def test_half_precision_is_refused_with_the_reason(half):
    point = torch.tensor(POINT, dtype=half) if isinstance(half, torch.dtype) else POINT.astype(half)
    with pytest.raises(TypeError, match=r"cannot be checked in b?float16: a difference of two results"):
        check_vjp(cube, right, [point])
