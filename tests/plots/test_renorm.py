from collections.abc import Callable

import numpy as np

from bncourse.plots import renorm


def test_values_tells_how_far_each_way_is_from_inference(sound: Callable[..., str]) -> None:
    inference = np.array([-1.0, 0.0, 2.0])
    ways = {"batch norm": inference + 0.5, "renorm, tight limits": inference + 0.25, "renorm, free": inference}
    shown = sound(renorm.values(inference, ways), "batch norm 0.50, renorm, tight limits 0.25, renorm, free 0.00")
    assert "renorm, free" in shown
