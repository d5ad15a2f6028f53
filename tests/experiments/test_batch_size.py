def test_batch_normalization_needs_a_batch(quick):
    result = quick("batch_size")
    lost = result.difference("accuracy", {"norm": "batch", "batch_size": 64}, {"norm": "batch", "batch_size": 2})
    assert lost.low > 0.02


def test_group_normalization_does_not_mind_small_batches(quick):
    result = quick("batch_size")
    gained = result.difference("accuracy", {"norm": "group", "batch_size": 2}, {"norm": "batch", "batch_size": 2})
    assert gained.low > 0.02
