"""Running and population statistics in PyTorch; their values are compared with NumPy's in `test_twins`."""

import pytest
import torch

from bncourse.torch_bn import PopulationStatistics, RunningStatistics, batch_moments, merge_moments


@pytest.mark.parametrize("momentum", [None, 0.1, 1.0])
def test_they_equal_pytorchs_buffers(momentum):
    torch.manual_seed(0)
    running = RunningStatistics(3, momentum=momentum)
    layer = torch.nn.BatchNorm1d(3, momentum=momentum, dtype=torch.float64)
    for count in (2, 9, 5):
        x = 5 * torch.randn(count, 3, dtype=torch.float64) + 2
        running.update(*batch_moments(x))
        layer(x)
    torch.testing.assert_close(running.mean, layer.running_mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(running.var, layer.running_var, rtol=1e-12, atol=1e-12)
    assert running.num_batches == layer.num_batches_tracked.item()


def test_they_hold_no_graph():
    x = torch.randn(4, 3, requires_grad=True)
    running, population = RunningStatistics(3), PopulationStatistics(3)
    for statistics in (running, population):
        statistics.update(*batch_moments(x))
    assert not running.mean.requires_grad
    assert not population.exact().var.requires_grad


def test_wrong_values_are_refused():
    with pytest.raises(ValueError, match=r"^momentum is 2"):
        RunningStatistics(3, momentum=2)
    with pytest.raises(ValueError, match=r"^num_features is 0"):
        RunningStatistics(0)
    with pytest.raises(ValueError, match=r"^var has shape \(2,\)"):
        RunningStatistics(3).update(torch.zeros(3), torch.zeros(2), 4)
    with pytest.raises(ValueError, match=r"^the parts have the counts \[\]"):
        merge_moments()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_moments_of_half_precision_are_float32(dtype):
    x = (torch.randn(4096, 2) + 300).to(dtype)
    mean, var, _ = batch_moments(x)
    assert (mean.dtype, var.dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(var.double(), x.double().var(0, correction=0), rtol=1e-5, atol=0)
    torch.testing.assert_close(mean.double(), x.double().mean(0), rtol=1e-6, atol=0)
