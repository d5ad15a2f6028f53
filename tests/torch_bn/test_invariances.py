import numpy as np
import pytest
import torch

import bncourse.numpy_bn
from bncourse.torch_bn import (
    effective_learning_rate,
    equilibrium_norm,
    radial_gradient,
    rescale_weights,
    weight_norms,
)


@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2, 2)])
def test_the_twins_agree(shape):
    torch.manual_seed(0)
    weight, dweight = torch.randn(2, *shape, dtype=torch.float64)
    scales = torch.tensor([0.5, 2.0, 10.0], dtype=torch.float64)
    twin = bncourse.numpy_bn
    for found, expected in [
        (weight_norms(weight), twin.weight_norms(weight.numpy())),
        (rescale_weights(weight, scales), twin.rescale_weights(weight.numpy(), scales.numpy())),
        (rescale_weights(weight, 0.3), twin.rescale_weights(weight.numpy(), 0.3)),
        (effective_learning_rate(0.3, weight), twin.effective_learning_rate(0.3, weight.numpy())),
        (radial_gradient(weight, dweight), twin.radial_gradient(weight.numpy(), dweight.numpy())),
    ]:
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-13, atol=1e-14)
    assert equilibrium_norm(0.1, 0.2, 3.0) == twin.equilibrium_norm(0.1, 0.2, 3.0)


def test_a_convolution_before_batch_norm_forgets_the_scale_of_each_output():
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(2, 3, 2).double()
    model = torch.nn.Sequential(layer, torch.nn.BatchNorm2d(3, eps=1e-15).double())
    x = torch.randn(4, 2, 5, 5, dtype=torch.float64)
    expected = model(x)
    expected.pow(3).sum().backward()
    cosines = radial_gradient(layer.weight.detach(), layer.weight.grad)
    torch.testing.assert_close(cosines, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-10)
    with torch.no_grad():
        layer.weight.copy_(rescale_weights(layer.weight, torch.tensor([0.5, 2.0, 10.0])))
    torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-10)


def test_what_has_no_direction_or_no_balance_is_refused():
    weight = torch.ones(3, 4)
    with pytest.raises(ValueError, match=r"scale holds values that are not positive"):
        rescale_weights(weight, -1.0)
    with pytest.raises(ValueError, match=r"scale has shape \(2,\), but weight of shape \(3, 4\) has 3 outputs"):
        rescale_weights(weight, torch.ones(2))
    with pytest.raises(ValueError, match=r"the norm of an output's weights is 0 or NaN"):
        effective_learning_rate(0.1, 0 * weight)
    with pytest.raises(ValueError, match=r"times that of its gradient is 0"):
        radial_gradient(weight, 0 * weight)
    with pytest.raises(ValueError, match=r"dweight has shape \(2, 4\)"):
        radial_gradient(weight, weight[:2])
    with pytest.raises(ValueError, match=r"lr is 0\.0"):
        equilibrium_norm(0.0, 0.1, 1.0)
