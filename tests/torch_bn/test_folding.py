import numpy as np
import pytest
import torch

import bncourse.numpy_bn
from bncourse.torch_bn import batch_norm_inference, fold_batch_norm, inference_affine

EPS = 0.1


def vectors(outputs, seed=0):
    torch.manual_seed(seed)
    bias, gamma, beta, mean = 3.0 * torch.randn(4, outputs, dtype=torch.float64)
    return bias, gamma, beta, mean, 1e-4 + 4.0 * torch.rand(outputs, dtype=torch.float64)


def test_inference_is_one_affine_map():
    _, gamma, beta, mean, var = vectors(3)
    x = torch.randn(5, 3, dtype=torch.float64)
    expected, _ = batch_norm_inference(x, gamma, beta, mean, var, eps=EPS)
    scale, shift = inference_affine(gamma, beta, mean, var, eps=EPS)
    torch.testing.assert_close(scale * x + shift, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("missing", [(), ("bias",), ("gamma", "beta")])
def test_the_twins_agree(transposed, missing):
    names = ["bias", "gamma", "beta", "running_mean", "running_var"]
    arguments = dict(zip(names, vectors(6), strict=True)) | dict.fromkeys(missing)
    weight = torch.randn(4, 3, 2, dtype=torch.float64) if transposed else torch.randn(6, 2, 2, dtype=torch.float64)
    options = {"eps": EPS, "transposed": transposed, "groups": 2}
    found = fold_batch_norm(weight, **arguments, **options)
    arrays = {name: None if value is None else value.numpy() for name, value in arguments.items()}
    expected = bncourse.numpy_bn.fold_batch_norm(weight.numpy(), **arrays, **options)
    np.testing.assert_allclose(found.weight.numpy(), expected.weight, rtol=1e-14, atol=0)
    np.testing.assert_allclose(found.bias.numpy(), expected.bias, rtol=1e-14, atol=1e-14)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"gamma has shape \(3,\), but weight of shape \(4, 2\) has 4 outputs"):
        fold_batch_norm(torch.ones(4, 2), None, *vectors(3)[1:])
    with pytest.raises(ValueError, match=r"groups is 3, but weight of shape \(4, 2, 3\) has 4 inputs"):
        fold_batch_norm(torch.ones(4, 2, 3), *vectors(6), transposed=True, groups=3)
    with pytest.raises(ValueError, match=r"eps is -0\.1"):
        fold_batch_norm(torch.ones(3, 2), *vectors(3), eps=-0.1)
