import numpy as np
import pytest

from bncourse.experiments.result import Measured, Result, Unit, grid
from bncourse.plots.experiments import recurrent

ARMS = (("lstm", "none", 1.0), ("lstm", "batch", 0.1), ("lstm", "batch", 1.0), ("lstm", "layer", 1.0))


@pytest.fixture
def result() -> Result:
    rows = []
    for cell, norm, gamma in ARMS:
        for seed in (0, 1):
            values = {"accuracy": 0.9 + 0.01 * seed}
            if norm == "batch":
                values |= {"moving_accuracy": 0.8, "pooled_accuracy": 0.7, "batch_accuracy": 0.85}
                values |= {"mean_by_step": np.full(4, 0.1), "std_by_step": np.array([0.0, 0.5, 0.6, 0.7])}
            unit = Unit.of(seed, part="reported", cell=cell, norm=norm, gamma=gamma, noise=0.1, rate=0.01)
            rows.append(Measured(unit, values, 0.0))
    axes = {"part": ["start"], "cell": ["lstm"], "norm": ["batch", "layer"], "gamma": [0.1, 1.0], "noise": [0.0, 0.1]}
    for unit in grid([0, 1], **axes):
        first = np.nan if (unit["norm"], unit["gamma"], unit["noise"]) == ("layer", 1.0, 0.0) else 100.0
        rows.append(Measured(unit, {"gradient": np.array([first, 10.0, 1.0])}, 0.0))
    config = {"gammas": [0.1, 1.0], "noises": [0.0, 0.1], "seeds": [0, 1]}
    return Result("recurrent", "?", config, {}, tuple(rows))


def test_every_network_is_shown(sound, result):
    shown = sound(recurrent.draw(result), "LSTM, layer, gamma 1 90.5", "LSTM, no norm 90.5")
    assert "LSTM, batch, gamma 0.1" in shown


def test_only_stored_statistics_can_be_read_in_several_ways(result):
    rows = {row[0]: row[1:] for row in recurrent.table(result).body}
    assert rows["LSTM, batch, gamma 1"] == ("90.5 ± 6.4", "80.0 in all seeds", "70.0 in all seeds", "85.0 in all seeds")
    assert rows["LSTM, layer, gamma 1"] == ("90.5 ± 6.4", "", "", "")
    assert recurrent.table(result).caption.endswith("seeds: 2 for lstm.")


def test_a_blank_start_is_drawn_beside_a_noisy_one_and_an_overflow_is_said(sound, result):
    shown = sound(
        recurrent.blank(result), "batch norm, gamma 0.1, noise 0: 1e+02", "layer norm, gamma 1, noise 0: no number"
    )
    assert "blank start" in shown


def test_the_statistics_are_shown_by_time_step(sound, result):
    shown = sound(recurrent.by_step(result), "gamma from 1: 0.00, 0.50, ..., 0.70")
    assert "time step (row of the picture)" in shown
