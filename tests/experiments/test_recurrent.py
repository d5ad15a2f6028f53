import numpy as np
import torch

from bncourse.experiments.recurrent import RowReader, pool_over_steps, through_time

TANH = {"part": "reported", "cell": "tanh", "norm": "batch"}


def first(norm, gamma, noise):
    """Gradient at the first of six rows relative to the last, where the first two rows are blank."""
    torch.manual_seed(0)
    x, y = torch.rand(50, 1, 6, 6), torch.randint(0, 10, (50,))
    x[:, :, :2] = 0.0
    model = RowReader(6, 16, cell="lstm", norm=norm, gamma=gamma, noise=noise)
    found = through_time(model, x, y)
    assert found["blank_rows"] == 2
    return found["first"]


def test_a_blank_start_blows_the_gradient_up_and_a_little_noise_does_not():
    for norm in ("batch", "layer"):
        assert first(norm, 1.0, 0.0) > 1e4
        assert first(norm, 1.0, 0.1) < 100


def test_a_smaller_gamma_makes_the_blow_up_smaller():
    assert first("batch", 0.1, 0.0) < 0.1 * first("batch", 1.0, 0.0)


def test_noise_is_put_into_the_hidden_state_in_training_only():
    torch.manual_seed(0)
    model, x = RowReader(6, 16, cell="tanh", norm="none", gamma=1.0, noise=0.1), torch.rand(3, 1, 6, 6)
    assert not torch.equal(model(x), model(x))
    model.eval()
    torch.testing.assert_close(model(x), model(x), rtol=0, atol=0)


def test_pooled_statistics_are_those_of_all_steps_together():
    model = RowReader(2, 3, cell="tanh", norm="batch", gamma=0.1, noise=0.0)
    norm = model.cell.norm_h
    norm.running_mean[:], norm.running_var[:] = torch.tensor([[-1.0], [1.0]]), 1.0
    pool_over_steps(model)
    torch.testing.assert_close(norm.running_var, torch.full((2, 3), 2.0), rtol=1e-6, atol=0)
    torch.testing.assert_close(norm.running_mean, torch.zeros(2, 3), rtol=0, atol=1e-7)


def test_a_trained_network_is_read_in_four_ways(quick):
    result = quick("recurrent")
    for name in ("accuracy", "moving_accuracy", "batch_accuracy", "pooled_accuracy"):
        assert np.isfinite(result.values(name, gamma=0.1, **TANH)).all()
    assert result.interval("accuracy", gamma=0.1, **TANH).mean > 0.5
