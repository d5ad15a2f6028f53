from bncourse.experiments.affine_arms import arm
from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import affine_parameters

CONFIG = {"factors": [0.0, 1.0], "starts": [0.01, 1.0], "learned": ["neither", "both"]}


def test_the_three_ablations_are_shown_for_each_nonlinearity(sound):
    arms = [arm(unit, **ablated) for unit in ("relu", "sigmoid") for ablated in ({}, {"gamma": 0.01}, {"factor": 0.0})]
    rows = tuple(
        Measured(Unit.of(seed, part="reported", rate=0.3, **labels), {"accuracy": 0.8 + 0.1 * seed}, 0.0)
        for labels in arms
        for seed in (0, 1)
    )
    result = Result("affine_parameters", "?", CONFIG, {}, rows)
    shown = sound(affine_parameters.draw(result), "gamma at the start: 0.01 85.0", "neither 85.0, both 85.0")
    for word in ("ReLU", "sigmoid", "neither", "gamma at the start"):
        assert word in shown
