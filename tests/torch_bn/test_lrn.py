import pytest
import torch

from bncourse.gradcheck import check_vjp
from bncourse.torch_bn import local_response_norm_backward, local_response_norm_forward

# exaggerated: the usual alpha of 1e-4 would hide every mistake
ALPHA, POWER, K = 2.0, 0.75, 1.5


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9, 20])
@pytest.mark.parametrize("shape", [(2, 7, 3), (2, 7, 3, 2), (2, 1, 3)])
def test_equals_pytorch_and_autograd(size, shape):
    torch.manual_seed(size)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    dy = torch.randn(shape, dtype=torch.float64)
    expected = torch.nn.functional.local_response_norm(x, size, ALPHA, POWER, K)
    (wanted,) = torch.autograd.grad(expected, x, dy)
    y, cache = local_response_norm_forward(x, size=size, alpha=ALPHA, power=POWER, k=K)
    torch.testing.assert_close(y, expected, rtol=1e-13, atol=1e-14)
    (dx,) = local_response_norm_backward(dy, cache)
    torch.testing.assert_close(dx, wanted, rtol=1e-12, atol=1e-14)
    (traced,) = torch.autograd.grad(y, x, dy)
    torch.testing.assert_close(traced, wanted, rtol=1e-12, atol=1e-14)


def test_defaults_are_those_of_pytorch():
    torch.manual_seed(0)
    x = 100.0 * torch.randn(2, 8, 3, dtype=torch.float64)
    expected = torch.nn.functional.local_response_norm(x, 5)
    torch.testing.assert_close(local_response_norm_forward(x)[0], expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("size", [2, 5])
def test_backward_is_the_derivative(size):
    torch.manual_seed(3)
    x = torch.randn(3, 6, dtype=torch.float64)

    def forward(x):
        return local_response_norm_forward(x, size=size, alpha=ALPHA, power=POWER, k=K)

    check_vjp(forward, local_response_norm_backward, [x], names=["x"])


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"size is 0, but it counts the neighboring channels. Expected 1 or more"):
        local_response_norm_forward(torch.ones(2, 3), size=0)
    _, cache = local_response_norm_forward(torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"dy has shape \(2, 4\)"):
        local_response_norm_backward(torch.ones(2, 4), cache)
