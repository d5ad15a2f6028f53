import numpy as np

from bncourse.plots import recurrent


def test_spread_is_shown_by_time_step(sound):
    shown = sound(recurrent.by_step({"from the input": np.array([[0.1, 0.5, 0.6], [0.1, 0.5, 0.8]])}), "0.10, 0.50")
    assert "time step (row of the picture)" in shown


def test_each_kind_of_statistics_has_its_accuracy(sound):
    accuracy = {"per step": np.array([0.9, 0.92]), "pooled over steps": np.array([0.7, 0.8])}
    sound(recurrent.same_weights(accuracy), "per step 91.0", "pooled over steps 75.0")


def test_the_gradient_is_followed_back_in_time(sound):
    runs = np.array([[100.0, 10.0, 1.0], [1.0, 0.1, 1.0]])
    shown = sound(recurrent.through_time({"noise": {"gamma 1": runs}}), "noise, gamma 1: 10 at 2 steps back")
    assert "steps back in time" in shown
