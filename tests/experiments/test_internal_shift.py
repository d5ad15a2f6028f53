def test_noise_that_shifts_every_layer_does_not_undo_what_batch_norm_gains(quick):
    result = quick("internal_shift")
    gain = result.difference("mean_loss", {"norm": "none", "rate": 1.0}, {"norm": "noisy batch", "rate": 1.0})
    assert gain.low > 0.5


def test_the_noisy_network_has_the_larger_shift(quick):
    result = quick("internal_shift")
    more = result.difference("shift", {"norm": "noisy batch", "rate": 1.0}, {"norm": "batch", "rate": 1.0})
    assert more.low > 0.1


def test_batch_norm_does_not_reduce_the_shift_of_gradients(quick):
    result = quick("internal_shift")
    difference = result.difference("shift_all_layers", {"norm": "none", "rate": 1.0}, {"norm": "batch", "rate": 1.0})
    assert difference.low < 0.0
