def test_synchronized_processes_train_like_one_with_the_joined_batch_and_local_ones_do_not(quick):
    result = quick("sync")
    assert result.values("synchronized_apart", local=2).max() < 1e-6
    assert result.values("local_apart", local=2).min() > 0.1
    gain = result.interval("synchronized_accuracy", local=2).mean - result.interval("local_accuracy", local=2).mean
    assert gain > 0.2


def test_accumulated_gradients_have_the_statistics_of_their_parts(quick):
    result = quick("sync")
    assert result.values("accumulated_apart", local=2).min() > 0.1
