import numpy as np
import pytest
import torch

from bncourse.numpy_bn import (
    add_bias_and_center,
    bias_gradient_inside,
    bias_gradient_outside,
    train_bias,
)


def sample(seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((6, 3)), rng.standard_normal((6, 3)) + np.array([1.0, -2.0, 0.5]), rng.standard_normal(3)


def test_the_two_gradients_are_autograds_with_and_without_the_mean_in_the_graph():
    u, dx_hat, b = sample()
    tensor = torch.tensor(b, requires_grad=True)
    x = torch.tensor(u) + tensor
    for mean, found in (
        (x.mean(dim=0).detach(), bias_gradient_outside(dx_hat)),
        (x.mean(dim=0), bias_gradient_inside(dx_hat)),
    ):
        (expected,) = torch.autograd.grad(x - mean, tensor, torch.tensor(dx_hat), retain_graph=True)
        np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-14)


def test_the_bias_does_not_reach_the_output():
    u, _, b = sample()
    np.testing.assert_allclose(add_bias_and_center(u, 100 * b), add_bias_and_center(u, 0 * b), rtol=0, atol=1e-12)


def test_outside_the_gradient_the_bias_grows_steadily_and_the_loss_stays():
    u, target, _ = sample()
    trajectory = train_bias(u, target, steps=200, lr=0.5, inside=False)
    expected = 0.5 * np.arange(201)[:, None] * target.mean(axis=0)
    np.testing.assert_allclose(trajectory.bias, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(trajectory.loss, trajectory.loss[0], rtol=1e-12)
    centered = u - u.mean(axis=0) - target
    np.testing.assert_allclose(trajectory.loss[0], 0.5 * (centered**2).sum() / 6, rtol=1e-13)


def test_inside_the_gradient_the_bias_rests():
    u, target, _ = sample()
    trajectory = train_bias(u, target, steps=200, lr=0.5, inside=True)
    np.testing.assert_allclose(trajectory.bias, 0.0, rtol=0, atol=1e-12)
    assert trajectory.bias.shape == (201, 3)
    assert trajectory.loss.shape == (201,)


def test_one_sample_is_enough_for_the_bias_to_run_away():
    trajectory = train_bias(np.array([[5.0]]), np.array([[2.0]]), steps=3, lr=0.5, inside=False)
    np.testing.assert_array_equal(trajectory.bias, [[0.0], [1.0], [2.0], [3.0]])


def test_wrong_shapes_are_refused():
    u, target, _ = sample()
    with pytest.raises(ValueError, match=r"target has shape \(5, 3\), but u has shape \(6, 3\)"):
        train_bias(u, target[:5], steps=1, lr=0.5, inside=True)
    with pytest.raises(ValueError, match=r"x has shape \(6,\)"):
        train_bias(u[:, 0], target[:, 0], steps=1, lr=0.5, inside=True)
