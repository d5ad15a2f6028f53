from collections.abc import Callable

import numpy as np

from bncourse.plots import covariate_shift


class Line:
    coef_ = np.array([[-1.0, 2.0]])
    intercept_ = np.array([0.5])


def test_two_crowds_shows_each_line_by_its_name(sound: Callable[..., str]) -> None:
    x = np.random.default_rng(0).random((10, 2))
    cat = x[:, 1] > 0.5
    shown = sound(covariate_shift.two_crowds(x, cat, x, cat, np.square, plain=Line(), weighted=Line()), "weighted")
    assert "the plain line" in shown
    assert "the weighted line" in shown


def test_remedies_marks_the_accuracy_on_animals_as_in_training(sound: Callable[..., str]) -> None:
    table = {(case, remedy): 80.0 for case in ("crowd", "camera") for remedy in ("nothing", "weights", "normalize")}
    assert "as in training" in sound(covariate_shift.remedies(table, home=90.0), "importance weights")
