import numpy as np
import pytest
import torch

from bncourse.gradcheck import check_vjp
from bncourse.numpy_bn import (
    batch_norm_backward,
    batch_norm_forward,
    ghost_batch_norm_backward,
    ghost_batch_norm_forward,
    ghost_batches,
)

EPS = 0.1


def sample(shape, seed=0):
    rng = np.random.default_rng(seed)
    x = 3.0 + 2.0 * rng.standard_normal(shape)
    return x, rng.standard_normal(shape[1]), rng.standard_normal(shape[1]), rng.standard_normal(shape)


@pytest.mark.parametrize("shape", [(8, 3), (11, 3), (7, 3, 2), (5, 2, 3, 2)])
@pytest.mark.parametrize("ghost_size", [2, 4, 100])
def test_equals_batch_norm_of_every_part_in_pytorch(shape, ghost_size):
    if shape == (11, 3) and ghost_size == 2:
        shape = (10, 3)
    x, gamma, beta, dy = sample(shape)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    parts = [
        torch.nn.functional.batch_norm(part, None, None, *tensors[1:], training=True, eps=EPS)
        for part in tensors[0].split(ghost_size)
    ]
    expected = torch.cat(parts)
    expected.backward(torch.tensor(dy))
    y, cache = ghost_batch_norm_forward(x, gamma, beta, ghost_size=ghost_size, eps=EPS)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=0, atol=1e-13)
    for found, tensor in zip(ghost_batch_norm_backward(dy, cache), tensors, strict=True):
        np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-12, atol=1e-13)


def test_backward_is_the_derivative_by_complex_step():
    x, gamma, beta, _ = sample((7, 3), seed=1)

    def forward(*inputs):
        return ghost_batch_norm_forward(*inputs, ghost_size=4, eps=EPS)

    check_vjp(forward, ghost_batch_norm_backward, [x, gamma, beta], names=["x", "gamma", "beta"], method="complex")


def test_one_ghost_batch_is_batch_norm():
    x, gamma, beta, dy = sample((6, 3))
    y, cache = ghost_batch_norm_forward(x, gamma, beta, ghost_size=6, eps=EPS)
    expected, expected_cache = batch_norm_forward(x, gamma, beta, eps=EPS)
    np.testing.assert_array_equal(y, expected)
    for found, wanted in zip(
        ghost_batch_norm_backward(dy, cache), batch_norm_backward(dy, expected_cache), strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


def test_ghost_batches_do_not_see_one_another():
    x, gamma, beta, dy = sample((8, 3))
    _, cache = ghost_batch_norm_forward(x, gamma, beta, ghost_size=4, eps=EPS)
    dy[4:] = 0.0
    dx = ghost_batch_norm_backward(dy, cache).dx
    assert np.abs(dx[:4]).max() > 1e-2
    np.testing.assert_array_equal(dx[4:], 0.0)


def test_the_last_ghost_batch_holds_the_rest():
    sizes = [len(part) for part in ghost_batches(np.zeros((11, 1)), 4)]
    assert sizes == [4, 4, 3]


@pytest.mark.parametrize(
    ("shape", "ghost_size", "message"),
    [
        ((8, 3), 0, "ghost_size is 0. Expected the number of samples in a ghost batch, 1 or more."),
        (
            (9, 3),
            4,
            "x has 9 samples of shape (3,), so ghost_size 4 leaves a ghost batch of one value per channel, whose "
            "variance is 0. Expected at least two; use another ghost_size, or drop_last=True in your loader.",
        ),
        ((8, 3), 1, "so ghost_size 1 leaves a ghost batch of one value per channel"),
        ((0, 3), 4, "x has shape (0, 3), which holds no values."),
        ((1, 3), 4, "x has 1 samples of shape (3,), so ghost_size 4 leaves"),
    ],
)
def test_a_ghost_batch_without_variance_is_refused(shape, ghost_size, message):
    x, gamma, beta, _ = sample(shape)
    with pytest.raises(ValueError) as caught:
        ghost_batch_norm_forward(x, gamma, beta, ghost_size=ghost_size)
    assert message in str(caught.value)


def test_a_last_feature_map_alone_has_a_variance():
    x, gamma, beta, _ = sample((5, 3, 2))
    y, _ = ghost_batch_norm_forward(x, gamma, beta, ghost_size=4, eps=EPS)
    assert np.isfinite(y).all()


def test_a_cotangent_of_another_shape_is_refused():
    x, gamma, beta, dy = sample((6, 3))
    _, cache = ghost_batch_norm_forward(x, gamma, beta, ghost_size=4)
    with pytest.raises(ValueError, match=r"dy has shape \(4, 3\), but the forward pass's output has shape \(6, 3\)"):
        ghost_batch_norm_backward(dy[:4], cache)
