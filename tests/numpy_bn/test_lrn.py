import numpy as np
import pytest
import torch

from bncourse.gradcheck import check_vjp
from bncourse.numpy_bn import local_response_norm_backward, local_response_norm_forward

# exaggerated: the usual alpha of 1e-4 would hide every mistake
ALPHA, POWER, K = 2.0, 0.75, 1.5


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9, 20])
@pytest.mark.parametrize("shape", [(2, 7, 3), (2, 7, 3, 2), (2, 1, 3)])
def test_equals_pytorch_forward_and_backward(size, shape):
    rng = np.random.default_rng(size)
    x, dy = rng.standard_normal(shape), rng.standard_normal(shape)
    tensor = torch.tensor(x, requires_grad=True)
    expected = torch.nn.functional.local_response_norm(tensor, size, ALPHA, POWER, K)
    expected.backward(torch.tensor(dy))
    y, cache = local_response_norm_forward(x, size=size, alpha=ALPHA, power=POWER, k=K)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-13, atol=1e-14)
    (dx,) = local_response_norm_backward(dy, cache)
    np.testing.assert_allclose(dx, tensor.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_defaults_are_those_of_pytorch():
    x = 100.0 * np.random.default_rng(0).standard_normal((2, 8, 3))
    y, _ = local_response_norm_forward(x)
    expected = torch.nn.functional.local_response_norm(torch.tensor(x), 5)
    np.testing.assert_allclose(y, expected.numpy(), rtol=1e-13, atol=0)


@pytest.mark.parametrize("size", [2, 5])
def test_backward_is_the_derivative_by_complex_step(size):
    x = np.random.default_rng(3).standard_normal((3, 6))

    def forward(x):
        return local_response_norm_forward(x, size=size, alpha=ALPHA, power=POWER, k=K)

    check_vjp(forward, local_response_norm_backward, [x], names=["x"], method="complex")


def test_a_window_of_no_channels_is_refused():
    with pytest.raises(ValueError, match=r"size is 0, but it counts the neighboring channels. Expected 1 or more"):
        local_response_norm_forward(np.ones((2, 3)), size=0)


def test_a_cotangent_of_another_shape_is_refused():
    _, cache = local_response_norm_forward(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"dy has shape \(2, 4\)"):
        local_response_norm_backward(np.ones((2, 4)), cache)


def test_integer_input_and_input_without_channels_are_refused():
    with pytest.raises(TypeError, match=r"x has dtype int64, which cannot hold normalized values"):
        local_response_norm_forward(np.ones((2, 3), int))
    with pytest.raises(ValueError, match=r"x has shape \(3,\), but channels are expected on axis 1"):
        local_response_norm_forward(np.ones(3))
