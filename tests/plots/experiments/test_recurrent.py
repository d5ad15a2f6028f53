import numpy as np
import pytest

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import recurrent


@pytest.fixture
def result() -> Result:
    units = grid([0, 1], norm=["none"]) + grid([0, 1], norm=["per step", "one for all", "layer"], gamma=[0.1, 1.0])
    rows = []
    for unit in units:
        values = {"accuracy": 0.9 + 0.01 * unit.seed, "losses": np.linspace(2, 0.1, 5) + 0.1 * unit.seed}
        if unit["norm"] == "per step":
            values |= {"mean_by_step": np.full(4, 0.1), "std_by_step": np.array([0.0, 0.5, 0.6, 0.7])}
        rows.append(Measured(unit, values, 0.0))
    return Result("recurrent", "?", {"gammas": [0.1, 1.0], "steps": 100}, {}, tuple(rows))


def test_every_normalization_is_shown_for_every_start_of_gamma(sound, result):
    shown = sound(recurrent.draw(result), "layer norm from gamma 1 90.5", "without normalization 90.5")
    for word in ("statistics per step", "one for all steps", "gamma starts at 0.1"):
        assert word in shown


def test_learning_is_shown_once_for_both_kinds_of_statistics(sound, result):
    shown = sound(recurrent.learning(result, 1.0), "batch norm ends at 0.15")
    assert "one for all" not in shown


def test_the_statistics_are_shown_by_time_step(sound, result):
    shown = sound(recurrent.by_step(result), "gamma from 1: 0.00, 0.50, ..., 0.70")
    assert "time step (row of the picture)" in shown
