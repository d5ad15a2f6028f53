from bncourse.experiments.result import Measured, Result, Unit, grid
from bncourse.plots.experiments import affine_parameters

CONFIG = {"factors": [0.0, 1.0], "starts": [0.01, 1.0], "learned": ["neither", "both"]}


def test_the_three_ablations_are_shown_for_each_nonlinearity(sound):
    both = {"activation": ["relu", "sigmoid"]}
    units: list[Unit] = [
        *grid([0, 1], ablation=["rate"], factor=CONFIG["factors"], **both),
        *grid([0, 1], ablation=["start"], gamma=CONFIG["starts"], **both),
        *grid([0, 1], ablation=["learned"], learned=CONFIG["learned"], **both),
    ]
    rows = tuple(Measured(unit, {"accuracy": 0.8 + 0.1 * unit.seed}, 0.0) for unit in units)
    result = Result("affine_parameters", "?", CONFIG, {}, rows)
    shown = sound(affine_parameters.draw(result), "gamma at the start: 0.01 85.0", "neither 85.0, both 85.0")
    for word in ("ReLU", "sigmoid", "neither", "gamma at the start"):
        assert word in shown
