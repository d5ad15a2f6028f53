import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.numpy_bn import batch_norm_inference, fold_batch_norm, inference_affine

EPS = 0.1


def vectors(outputs, seed=0):
    rng = np.random.default_rng(seed)
    bias, gamma, beta, mean = 3.0 * rng.standard_normal((4, outputs))
    return bias, gamma, beta, mean, 1e-4 + 4.0 * rng.random(outputs)


def test_inference_is_one_affine_map():
    _, gamma, beta, mean, var = vectors(3)
    x = np.random.default_rng(1).standard_normal((5, 3))
    expected, _ = batch_norm_inference(x, gamma, beta, mean, var, eps=EPS)
    scale, shift = inference_affine(gamma, beta, mean, var, eps=EPS)
    np.testing.assert_allclose(scale * x + shift, expected, rtol=0, atol=1e-13)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**16), outputs=st.integers(1, 5), inputs=st.integers(1, 5), eps=st.sampled_from([0.0, EPS]))
def test_a_folded_linear_layer_equals_layer_and_batch_norm(seed, outputs, inputs, eps):
    rng = np.random.default_rng(seed)
    weight, x = rng.standard_normal((outputs, inputs)), rng.standard_normal((4, inputs))
    bias, gamma, beta, mean, var = vectors(outputs, seed)
    expected, _ = batch_norm_inference(x @ weight.T + bias, gamma, beta, mean, var, eps=eps)
    folded = fold_batch_norm(weight, bias, gamma, beta, mean, var, eps=eps)
    # rounding of the products summed, each as large as scale * (|W| |x| + |b| + |mean|)
    scale = np.abs(gamma) / np.sqrt(var + eps)
    size = scale * (np.abs(x) @ np.abs(weight).T + np.abs(bias) + np.abs(mean)) + np.abs(beta)
    assert (np.abs(x @ folded.weight.T + folded.bias - expected) <= 1e-15 * (inputs + 8) * size).all()


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_folded_convolution_equals_convolution_and_batch_norm(dimensions, groups, transposed):
    rng = np.random.default_rng(dimensions)
    inputs, outputs = 4, 6
    shape = (inputs, outputs // groups) if transposed else (outputs, inputs // groups)
    weight = rng.standard_normal((*shape, *(3, 2, 3)[:dimensions]))
    x = torch.tensor(rng.standard_normal((2, inputs, *(5, 4, 6)[:dimensions])))
    bias, gamma, beta, mean, var = vectors(outputs)
    convolve = getattr(torch.nn.functional, f"conv{'_transpose' if transposed else ''}{dimensions}d")

    def run(weight, bias):
        return convolve(x, torch.tensor(weight), torch.tensor(bias), padding=1, groups=groups).numpy()

    expected, _ = batch_norm_inference(run(weight, bias), gamma, beta, mean, var, eps=EPS)
    folded = fold_batch_norm(weight, bias, gamma, beta, mean, var, eps=EPS, transposed=transposed, groups=groups)
    np.testing.assert_allclose(run(*folded), expected, rtol=0, atol=1e-12)


def test_missing_bias_and_parameters_act_as_zero_and_one():
    rng = np.random.default_rng(2)
    weight, zero, one = rng.standard_normal((3, 2)), np.zeros(3), np.ones(3)
    _, _, _, mean, var = vectors(3)
    found = fold_batch_norm(weight, None, None, None, mean, var, eps=EPS)
    expected = fold_batch_norm(weight, zero, one, zero, mean, var, eps=EPS)
    np.testing.assert_array_equal(found.weight, expected.weight)
    np.testing.assert_array_equal(found.bias, expected.bias)


def test_the_arguments_stay_as_they_were():
    weight = np.random.default_rng(3).standard_normal((3, 2))
    arguments = [weight, *vectors(3)]
    before = [argument.copy() for argument in arguments]
    fold_batch_norm(*arguments)
    for argument, copy in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(argument, copy)


@pytest.mark.parametrize("wrong", ["bias", "gamma", "beta", "running_mean", "running_var"])
def test_a_vector_of_another_length_is_refused(wrong):
    names = ["bias", "gamma", "beta", "running_mean", "running_var"]
    arguments = dict(zip(names, vectors(3), strict=True))
    arguments[wrong] = np.ones(2)
    with pytest.raises(ValueError) as caught:
        fold_batch_norm(np.ones((3, 2)), **arguments)
    assert str(caught.value) == (
        f"{wrong} has shape (2,), but weight of shape (3, 2) has 3 outputs. Expected (3,). Outputs come first, "
        "(out, in, ...), and second in a transposed convolution: is transposed right?"
    )


def test_impossible_groups_and_negative_eps_are_refused():
    with pytest.raises(ValueError, match=r"groups is 3, but weight of shape \(4, 2, 3\) has 4 inputs"):
        fold_batch_norm(np.ones((4, 2, 3)), *vectors(6), transposed=True, groups=3)
    with pytest.raises(ValueError, match=r"eps is -0\.1"):
        fold_batch_norm(np.ones((3, 2)), *vectors(3), eps=-0.1)


def test_integer_weights_and_statistics_are_refused():
    with pytest.raises(TypeError, match=r"weight has dtype int64, which cannot hold normalized values"):
        fold_batch_norm(np.ones((3, 2), int), *vectors(3))
    with pytest.raises(TypeError, match=r"running_var has dtype int64"):
        fold_batch_norm(np.ones((3, 2)), *vectors(3)[:4], np.ones(3, int))


def test_groups_count_in_transposed_convolutions_only_and_are_one_by_default():
    weight = np.random.default_rng(0).standard_normal((6, 2, 3))
    plain, grouped = fold_batch_norm(weight, *vectors(6)), fold_batch_norm(weight, *vectors(6), groups=4)
    np.testing.assert_array_equal(plain.weight, grouped.weight)
    weight = weight.transpose(1, 0, 2)
    found = fold_batch_norm(weight, *vectors(6), transposed=True)
    np.testing.assert_allclose(found.weight, plain.weight.transpose(1, 0, 2), rtol=1e-15)


def test_a_negative_eps_is_refused_by_the_affine_map_too():
    with pytest.raises(ValueError, match=r"eps is -0\.1"):
        inference_affine(*vectors(3)[1:], eps=-0.1)
