import numpy as np

from bncourse.experiments.shuffling import again


def test_with_batch_norm_the_same_batches_again_are_learned_by_heart(quick):
    result = quick("shuffling")
    batch = {"norm": "batch", "batch_size": 8}
    lower = result.difference("loss", batch | {"order": "reshuffled"}, batch | {"order": "fixed"})
    assert lower.low > 0.0


def test_without_batch_norm_the_order_makes_no_such_difference(quick):
    result = quick("shuffling")
    plain, batch = {"norm": "none", "batch_size": 8}, {"norm": "batch", "batch_size": 8}
    effect = [
        result.difference("loss", side | {"order": "reshuffled"}, side | {"order": "fixed"}).mean
        for side in (plain, batch)
    ]
    assert abs(effect[0]) < 0.3 * effect[1]


def test_fixed_batches_return_in_every_epoch():
    order = again(10, 5, seed=0, reorder=False)
    first, second, third = next(order), next(order), next(order)
    np.testing.assert_array_equal(first, third)
    assert not set(first) & set(second)
