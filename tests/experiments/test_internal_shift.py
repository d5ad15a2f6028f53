import numpy as np
import torch

from bncourse.experiments.internal_shift import NoisyBatchNorm, distribution_shift, gradient_shift, take_apart
from bncourse.experiments.networks import mlp
from bncourse.experiments.training import batches, tensors

RATE = {"activation": "sigmoid", "rate": 1.0}


def test_with_the_noise_held_a_step_of_zero_finds_nothing(quick):
    result = quick("internal_shift")
    for norm in result.labels("norm"):
        assert not result.values("zero_step", norm=norm, **RATE).any()


def test_with_the_noise_redrawn_a_step_of_zero_finds_the_whole_shift(quick):
    result = quick("internal_shift")
    noisy = {"norm": "noisy batch", **RATE}
    share = result.values("zero_step_redrawn", **noisy) / result.values("shift_redrawn", **noisy)
    assert (share > 0.85).all()
    assert not result.values("zero_step_redrawn", norm="batch", **RATE).any()


def test_with_the_noise_redrawn_a_step_of_zero_moves_the_distribution_nearly_as_far_as_a_real_one(quick):
    result = quick("internal_shift")
    noisy, quiet = ({"norm": norm, **RATE} for norm in ("noisy batch", "batch"))
    share = result.values("zero_step_distribution", **noisy) / result.values("distribution", **noisy)
    assert (share > 0.85).all() and (share < 1.15).all()
    assert not result.values("zero_step_distribution", **quiet).any()
    np.testing.assert_array_equal(result.values("distribution_held", **quiet), result.values("distribution", **quiet))
    assert (result.values("distribution_held", **noisy) < 0.1 * result.values("distribution", **noisy)).all()


def test_the_noise_moves_the_distribution_and_not_the_gradient(quick):
    result = quick("internal_shift")
    noisy, quiet = ({"norm": norm, **RATE} for norm in ("noisy batch", "batch"))
    assert (result.values("distribution", **noisy) > 50 * result.values("distribution", **quiet)).all()
    assert (result.values("shift", **noisy) < 1.5 * result.values("shift", **quiet)).all()


def test_noise_that_shifts_every_layer_does_not_undo_what_batch_norm_gains(quick):
    result = quick("internal_shift")
    gain = result.difference("mean_loss", {"norm": "none", **RATE}, {"norm": "noisy batch", **RATE})
    assert gain.low > 0.5


def test_a_look_leaves_the_model_and_its_noise_as_they_were():
    torch.manual_seed(0)
    data = tensors("digits")
    model = mlp(64, (20, 20, 20), norm=lambda features: NoisyBatchNorm(features, 0.5), activation="sigmoid")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    noise = [layer.generator.get_state() for layer in model.modules() if isinstance(layer, NoisyBatchNorm)]
    take_apart(model, data, next(batches(1400, 60, 0)), 0.5)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    after = [layer.generator.get_state() for layer in model.modules() if isinstance(layer, NoisyBatchNorm)]
    assert all(torch.equal(one, other) for one, other in zip(noise, after, strict=True))


def test_the_first_hidden_layer_to_shift_is_the_second(quick):
    torch.manual_seed(0)
    data, index = tensors("digits"), next(batches(1400, 60, 0))
    model = mlp(64, (20, 20, 20), norm="batch")
    changes, cosines = gradient_shift(model, data, index, 0.1)
    assert changes.shape == cosines.shape == (2,)
    assert (changes > 0).all() and (np.abs(cosines) <= 1).all()


def test_a_step_of_zero_moves_no_distribution():
    torch.manual_seed(0)
    data, index = tensors("digits"), next(batches(1400, 60, 0))
    model = mlp(64, (20, 20, 20), norm="batch")
    assert distribution_shift(model, data, index, 0.0) == 0.0
    assert distribution_shift(model, data, index, 0.5) > 0.0
    noisy = mlp(64, (20, 20, 20), norm=lambda features: NoisyBatchNorm(features, 0.5))
    assert distribution_shift(noisy, data, index, 0.0, hold=True) == 0.0
    assert distribution_shift(noisy, data, index, 0.0) > 0.1
