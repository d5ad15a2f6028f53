import numpy as np
import pytest
import torch

import bncourse.numpy_bn
from bncourse.gradcheck import check_vjp
from bncourse.torch_bn import whiten_backward, whiten_forward

EPS = 0.1
# uncorrelated features of equal variance: every pair of eigenvalues crosses here
CROSSING = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)


def sample(shape, seed=0):
    torch.manual_seed(seed)
    return 5.0 + torch.randn(shape, dtype=torch.float64), torch.randn(shape, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(9, 3), (4, 6), (5, 1)])
def test_equals_autograd_and_the_twin(shape):
    x, dy = sample(shape)
    x = x @ torch.diag(torch.arange(1.0, shape[1] + 1, dtype=torch.float64))
    y, cache = whiten_forward(x, eps=EPS)
    (dx,) = whiten_backward(dy, cache)
    twin, twin_cache = bncourse.numpy_bn.whiten_forward(x.numpy(), eps=EPS)
    np.testing.assert_allclose(y.numpy(), twin, rtol=0, atol=1e-12)
    (twin_dx,) = bncourse.numpy_bn.whiten_backward(dy.numpy(), twin_cache)
    np.testing.assert_allclose(dx.numpy(), twin_dx, rtol=0, atol=1e-12)
    assert cache.rank == twin_cache.rank == min(shape[0] - 1, shape[1])
    np.testing.assert_allclose(cache.condition, twin_cache.condition, rtol=1e-12)
    if shape[0] > shape[1]:  # else autograd divides by the differences of equal eigenvalues
        x.requires_grad_()
        (traced,) = torch.autograd.grad(whiten_forward(x, eps=EPS)[0], x, dy)
        torch.testing.assert_close(dx, traced, rtol=0, atol=1e-10)


def test_at_a_crossing_autograd_fails_and_the_hand_written_gradient_is_right():
    x = CROSSING.clone().requires_grad_()
    dy = sample((4, 2))[1]
    y, _ = whiten_forward(x, eps=0.0)
    (traced,) = torch.autograd.grad(y, x, dy)
    assert not torch.isfinite(traced).all()
    check_vjp(lambda x: whiten_forward(x, eps=0.0), whiten_backward, [CROSSING], names=["x"])


def test_what_cannot_be_whitened_is_refused_and_never_nan():
    x, dy = sample((4, 6))
    with pytest.raises(ValueError, match=r"4 samples span at most 3 of 6 directions"):
        whiten_forward(x, eps=0.0)
    with pytest.raises(ValueError, match=r"x holds NaN or infinity"):
        whiten_forward(torch.full((4, 2), torch.nan))
    with pytest.raises(TypeError, match=r"x has dtype torch\.float16, for which there is no eigendecomposition"):
        whiten_forward(x.half())
    with pytest.raises(ValueError, match=r"eps is -1\.0"):
        whiten_forward(x, eps=-1.0)
    with pytest.raises(ValueError, match=r"Expected \(N, D\), one sample per row"):
        whiten_forward(x[0])
    with pytest.raises(ValueError, match=r"x has no variance in any direction"):
        whiten_forward(torch.ones(4, 2), eps=0.0)
    _, cache = whiten_forward(x, eps=EPS)
    with pytest.raises(ValueError, match=r"dy has shape \(3, 6\)"):
        whiten_backward(dy[:3], cache)
