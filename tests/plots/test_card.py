"""The social card: after batch normalization its four features look alike."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bncourse.plots.card import SIZE, features, social_card


def test_the_features_differ_before_and_not_after() -> None:
    x, y = features()
    assert np.ptp(x.mean(axis=0)) > 5 and np.ptp(x.std(axis=0)) > 0.5
    np.testing.assert_allclose(y.mean(axis=0), 0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-3, atol=0)


def test_no_word_leaves_the_card() -> None:
    figure = social_card("Batch normalization, by hand", "Every claim is executed, and every wrong belief has a name.")
    renderer = FigureCanvasAgg(figure).get_renderer()
    assert tuple(figure.get_size_inches() * figure.dpi) == SIZE
    for text in figure.texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= SIZE[0] and box.y1 <= SIZE[1], text.get_text()
