from collections.abc import Callable

import numpy as np

from bncourse.plots import by_layer


def test_each_layer_of_each_network_is_named_with_its_median(sound: Callable[..., str]) -> None:
    layers = [np.array([0.1, -0.1, 0.0, 0.1]), np.array([[10.0, -10.0, 20.0]])]
    drawing = by_layer.histograms({"update": {"plain": layers, "normalized": layers[::-1]}})
    words = sound(drawing, "update, plain: 0.1, 1e+01", "update, normalized: 1e+01, 0.1")
    assert "plain" in words
    assert "layer 2" in words
