"""Running statistics against PyTorch's buffers, population statistics against all values at once."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.numpy_bn import PopulationStatistics, RunningStatistics, batch_moments


@given(
    st.lists(st.tuples(st.integers(2, 8), st.integers(1, 3)), min_size=1, max_size=12),
    st.sampled_from([None, 0.0, 0.1, 0.5, 1.0]),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=30)
def test_any_sequence_of_updates_equals_pytorchs_buffers(sizes, momentum, seed):
    rng = np.random.default_rng(seed)
    running = RunningStatistics(2, momentum=momentum)
    layer = torch.nn.BatchNorm1d(2, momentum=momentum, dtype=torch.float64)
    for samples, length in sizes:
        x = 5 * rng.standard_normal((samples, 2, length)) + 3
        running.update(*batch_moments(x))
        layer(torch.tensor(x))
    np.testing.assert_allclose(running.mean, layer.running_mean.numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(running.var, layer.running_var.numpy(), rtol=1e-12, atol=1e-12)
    assert running.num_batches == layer.num_batches_tracked.item() == len(sizes)


def test_they_start_at_zero_and_one():
    running = RunningStatistics(2)
    assert (running.mean.tolist(), running.var.tolist(), running.num_batches) == ([0, 0], [1, 1], 0)
    assert running.momentum == 0.1


def test_momentum_is_the_weight_of_the_new_value_and_the_variance_is_unbiased():
    running = RunningStatistics(1, momentum=0.25)
    running.update(np.array([8.0]), np.array([3.0]), 4)
    assert (running.mean.tolist(), running.var.tolist()) == ([2.0], [0.75 + 0.25 * 3.0 * 4 / 3])


def test_algorithm_2_averages_batches_and_the_exact_moments_average_values():
    rng = np.random.default_rng(0)
    batches = [rng.standard_normal((5, 3)) + shift for shift in (-4.0, 0.0, 2.0)]
    population = PopulationStatistics(3)
    for batch in batches:
        population.update(*batch_moments(batch))
    mean, var = population.algorithm_2()
    np.testing.assert_allclose(mean, np.mean([b.mean(0) for b in batches], axis=0), rtol=1e-13)
    np.testing.assert_allclose(var, 5 / 4 * np.mean([b.var(0) for b in batches], axis=0), rtol=1e-13)
    exact = population.exact()
    np.testing.assert_allclose(exact.mean, np.concatenate(batches).mean(0), rtol=1e-13)
    np.testing.assert_allclose(exact.var, np.concatenate(batches).var(0), rtol=1e-13)
    assert exact.count == 15


def test_float32_batches_are_merged_in_float64():
    population = PopulationStatistics(1)
    population.update(np.array([0.5], np.float32), np.array([1.0], np.float32), 3)
    assert population.exact().mean.dtype == np.float64


@pytest.mark.parametrize("momentum", [-0.1, 1.5, float("nan")])
def test_a_momentum_outside_zero_and_one_is_refused(momentum):
    with pytest.raises(ValueError, match=rf"^momentum is {momentum}, but it is the weight of the new value"):
        RunningStatistics(2, momentum=momentum)


def test_updates_that_do_not_fit_are_refused_and_change_nothing():
    running = RunningStatistics(2)
    with pytest.raises(ValueError, match=r"^mean has shape \(3,\), but the statistics are of 2 channels"):
        running.update(np.zeros(3), np.zeros(2), 4)
    with pytest.raises(ValueError, match=r"^var has shape \(2, 1\), but the statistics are of 2 channels"):
        running.update(np.zeros(2), np.zeros((2, 1)), 4)
    with pytest.raises(ValueError, match=r"^count is 1, but the unbiased variance divides by count - 1"):
        running.update(np.zeros(2), np.zeros(2), 1)
    with pytest.raises(ValueError, match=r"^num_features is 0"):
        RunningStatistics(0)
    with pytest.raises(ValueError, match=r"^num_features is -1"):
        PopulationStatistics(-1)
    assert running.num_batches == 0
    assert running.var.tolist() == [1, 1]
