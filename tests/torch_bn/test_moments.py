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
