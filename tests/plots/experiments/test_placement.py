import numpy as np

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import placement

EDGES = np.linspace(-3.0, 4.0, 8)


def made_up() -> Result:
    shapes = {f"{side}_histogram": np.ones(7) / 7 for side in ("before", "behind")}
    shapes |= {"before_skewness": 0.4, "behind_skewness": 1.7, "edges": EDGES}
    rows = [
        Measured(Unit.of(seed, place=place, activation=activation, rate=rate), {"accuracy": 0.9, **shapes}, 0.0)
        for seed in (0, 1)
        for place in placement.PLACES
        for activation in ("relu", "sigmoid")
        for rate in (0.1, 1.0)
    ]
    return Result("placement", "?", {}, {}, tuple(rows))


def test_every_place_is_shown_for_every_nonlinearity_and_rate(sound):
    shown = sound(placement.draw(made_up()), "at the rates 0.1, 1", "relu, both: 90.0, 90.0", "sigmoid, nowhere")
    for word in ("nowhere", "before", "after", "both", "learning rate"):
        assert word in shown


def test_the_shapes_on_both_sides_come_with_their_skewness(sound):
    shown = sound(placement.shapes(made_up()), "what comes out has mean absolute skewness 1.70")
    assert "what goes in: skewness 0.40" in shown
