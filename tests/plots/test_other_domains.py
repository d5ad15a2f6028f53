import numpy as np

from bncourse.plots import other_domains


def test_pictures_stand_in_columns_named_by_their_shift(sound):
    image = np.eye(8)
    shown = sound(other_domains.pictures({"clean": [image, image], "faint": [0.3 * image, image]}), "clean, faint")
    assert "faint" in shown


def test_crowds_tells_before_and_after(sound):
    rows = np.array([[0.9, 0.8], [0.6, 0.5]])
    shown = sound(other_domains.crowds([10, 1], rows, rows - 0.5, [2, 32], rows), "10 85 to 35, 1 55 to 5", "32 55")
    for word in ("old statistics", "recomputed", "unlabeled pictures used"):
        assert word in shown
