"""What the PyTorch moments refuse and merge; their values are compared with NumPy's in `test_twins`."""

import pytest
import torch

from bncourse.torch_bn import Moments, batch_moments, merge_moments


def test_one_value_per_channel_has_variance_zero():
    assert batch_moments(torch.tensor([[7.0, 8.0]])).var.tolist() == [0.0, 0.0]


def test_wrong_values_are_refused():
    with pytest.raises(ValueError, match=r"^x has shape \(0, 2\), which holds no values"):
        batch_moments(torch.zeros(0, 2))
    with pytest.raises(TypeError, match=r"^x has dtype int64"):
        batch_moments(torch.zeros(3, 2, dtype=torch.int64))


def test_empty_parts_change_nothing_and_one_value_is_enough():
    nothing = Moments(torch.tensor([float("nan")]), torch.tensor([float("nan")]), 0)
    part = Moments(torch.tensor([2.0]), torch.tensor([0.0]), 1)
    merged = merge_moments(nothing, part, nothing)
    assert [merged.mean.tolist(), merged.var.tolist(), merged.count] == [[2.0], [0.0], 1]


@pytest.mark.parametrize("counts", [(), (0,), (3, -1)])
def test_parts_without_values_are_refused(counts):
    with pytest.raises(ValueError, match=r"^the parts have the counts \["):
        merge_moments(*((torch.zeros(1), torch.zeros(1), count) for count in counts))


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e6])
@pytest.mark.parametrize("shape", [(5000, 2), (17, 3), (5, 2), (20, 2, 30, 3)])
@pytest.mark.parametrize("first", [1, 2, 3])
def test_first_samples_far_from_the_others_cost_four_bits_at_most(shape, offset, first):
    """|mean - exact| <= 4 eps max|x|; |var - exact| <= 64 eps var, with the first sixteenth as far off as can be."""
    torch.manual_seed(0)
    x = 0.1 * torch.randn(shape) + offset
    x[: first * len(x) // 16 + 1] += 3.0
    mean, var, count = batch_moments(x)
    axes = [axis for axis in range(x.ndim) if axis != 1]
    exact_var, exact_mean = torch.var_mean(x.double(), axes, correction=0)
    eps = torch.finfo(torch.float32).eps
    assert count == x.numel() // x.shape[1]
    assert ((mean - exact_mean).abs() <= 4 * eps * x.abs().amax(axes)).all()
    assert ((var - exact_var).abs() <= 64 * eps * exact_var).all()
