import numpy as np

from bncourse.experiments.not_iid import alike


def test_batches_of_one_class_break_batch_norm_but_not_group_norm(quick):
    result = quick("not_iid")
    lost = result.difference("accuracy", {"norm": "batch", "classes": 10}, {"norm": "batch", "classes": 1})
    assert lost.low > 0.5
    assert result.interval("accuracy", norm="group", classes=1).low > 0.85


def test_batches_are_drawn_from_that_many_classes_and_in_the_long_run_from_all():
    labels = np.repeat(np.arange(10), 20)
    order = alike(labels, 2, 8, seed=0)
    classes = [set(labels[next(order)].tolist()) for _ in range(5)]
    assert all(len(found) <= 2 for found in classes)
    assert set.union(*classes) == set(range(10))
