import pytest

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import targets


@pytest.mark.parametrize("means", [(), (-1.0, 1.0)])
def test_every_target_is_shown_fixed_and_learned(sound, means):
    config = {"stds": [0.1, 1.0], "means": list(means), "learned": [False, True]}
    axes = {"activation": ["sigmoid"], "learned": config["learned"]}
    units = grid([0, 1], std=config["stds"], mean=[0.0], **axes) + grid([0, 1], std=[1.0], mean=means, **axes)
    result = Result("targets", "?", config, {}, tuple(Measured(unit, {"accuracy": unit["std"]}, 0.0) for unit in units))
    shown = sound(targets.draw(result), "standard deviation, held fixed: 0.1 10.0, 1 100.0")
    assert ("target's mean" in shown) is bool(means)
    assert "learned from there" in shown
