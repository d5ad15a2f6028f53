import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.numpy_bn import (
    batch_norm_backward,
    batch_norm_forward,
    effective_learning_rate,
    equilibrium_norm,
    radial_gradient,
    rescale_weights,
    weight_norms,
)


def sample(seed=0, outputs=3, inputs=4):
    rng = np.random.default_rng(seed)
    weight, gamma, beta = rng.standard_normal((outputs, inputs)), *rng.standard_normal((2, outputs))
    u, dy = rng.standard_normal((7, inputs)), rng.standard_normal((7, outputs))
    return weight, gamma, beta, u, dy


def gradient(weight, gamma, beta, u, dy, eps=0.0):
    """Output of batch norm after the layer, and the gradient for the layer's weights."""
    y, cache = batch_norm_forward(u @ weight.T, gamma, beta, eps=eps)
    return y, batch_norm_backward(dy, cache).dx.T @ u


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), scale=st.floats(1e-3, 1e3))
def test_the_output_does_not_see_the_scale_and_the_gradient_shrinks_by_it(seed, scale):
    weight, *rest = sample(seed)
    y, dweight = gradient(weight, *rest)
    rescaled = rescale_weights(weight, scale)
    other, other_dweight = gradient(rescaled, *rest)
    np.testing.assert_allclose(other, y, rtol=0, atol=1e-10)
    np.testing.assert_allclose(scale * other_dweight, dweight, rtol=0, atol=1e-9 * np.abs(dweight).max())
    np.testing.assert_allclose(radial_gradient(weight, dweight), 0.0, rtol=0, atol=1e-10)


def test_each_output_has_a_scale_of_its_own():
    weight, *rest = sample()
    scales = np.array([0.5, 2.0, 10.0])
    np.testing.assert_allclose(
        gradient(rescale_weights(weight, scales), *rest)[0], gradient(weight, *rest)[0], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(weight_norms(rescale_weights(weight, scales)), scales * weight_norms(weight), rtol=1e-14)


def test_with_eps_the_scale_is_seen_unless_eps_grows_with_its_square():
    weight, *rest = sample()
    y, dweight = gradient(weight, *rest, eps=0.5)
    assert np.abs(gradient(3 * weight, *rest, eps=0.5)[0] - y).max() > 0.1
    np.testing.assert_allclose(gradient(3 * weight, *rest, eps=4.5)[0], y, rtol=0, atol=1e-13)
    assert np.abs(radial_gradient(weight, dweight)).max() > 0.01


def test_a_step_turns_the_weights_as_the_effective_rate_turns_unit_weights():
    weight, *rest = sample()
    lr = 1e-6
    step = weight - lr * gradient(weight, *rest)[1]
    turned = rescale_weights(step, 1.0 / weight_norms(step))
    unit = rescale_weights(weight, 1.0 / weight_norms(weight))
    rate = effective_learning_rate(lr, weight)
    expected = unit - rate[:, None] * gradient(unit, *rest)[1]
    np.testing.assert_allclose(turned - unit, expected - unit, rtol=0, atol=1e-4 * np.abs(expected - unit).max())


def test_convolution_weights_are_taken_output_by_output():
    weight = np.random.default_rng(0).standard_normal((3, 2, 2, 2))
    np.testing.assert_allclose(weight_norms(weight), np.sqrt((weight**2).sum(axis=(1, 2, 3))), rtol=1e-14)
    assert rescale_weights(weight, 2.0).shape == weight.shape
    np.testing.assert_allclose(radial_gradient(weight, 5 * weight), 1.0, rtol=1e-14)


@pytest.mark.parametrize(("lr", "decay"), [(0.1, 0.05), (0.5, 1.0)])
def test_at_the_equilibrium_norm_a_step_keeps_the_length(lr, decay):
    size = 3.0
    norm = equilibrium_norm(lr, decay, size)
    weight = np.array([norm, 0.0])
    dweight = np.array([0.0, size / norm])
    step = (1 - lr * decay) * weight - lr * dweight
    np.testing.assert_allclose(np.linalg.norm(step), norm, rtol=1e-14)
    effective = np.sqrt(lr * decay * (2 - lr * decay)) / size
    np.testing.assert_allclose(effective_learning_rate(lr, weight[None])[0], effective, rtol=1e-14)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda w: rescale_weights(w, -1.0), "scale holds values that are not positive. Expected positive ones"),
        (lambda w: rescale_weights(w, np.array([1.0, 0.0, 1.0])), "scale holds values that are not positive."),
        (
            lambda w: rescale_weights(w, np.ones(2)),
            "scale has shape (2,), but weight of shape (3, 4) has 3 outputs. Expected a number, or (3,).",
        ),
        (lambda w: effective_learning_rate(0.1, 0 * w), "the norm of an output's weights is 0 or NaN."),
        (lambda w: radial_gradient(w, 0 * w), "the norm of an output's weights times that of its gradient is 0"),
        (lambda w: radial_gradient(w, w[:2]), "dweight has shape (2, 4), but weight has shape (3, 4)."),
        (lambda w: equilibrium_norm(0.0, 0.1, 1.0), "lr is 0.0. Expected a positive number"),
        (lambda w: equilibrium_norm(0.1, -1.0, 1.0), "weight_decay is -1.0. Expected a positive number"),
        (lambda w: equilibrium_norm(0.1, 0.1, np.nan), "gradient_norm is nan. Expected a positive number"),
        (lambda w: equilibrium_norm(2.0, 1.0, 1.0), "lr * weight_decay is 2.0. Expected less than 2"),
    ],
)
def test_what_has_no_direction_or_no_balance_is_refused(act, message):
    with pytest.raises(ValueError) as caught:
        act(sample()[0])
    assert message in str(caught.value)


def test_integer_weights_are_refused():
    for act in (lambda w: rescale_weights(w, 0.5), weight_norms):
        with pytest.raises(TypeError, match=r"weight has dtype int64, which cannot hold normalized values"):
            act(np.ones((3, 4), int))
