import numpy as np

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.experiments.tuning import combinations
from bncourse.plots.experiments import placement

EDGES = np.linspace(-3.0, 4.0, 8)


def made_up() -> Result:
    shapes = {f"{side}_histogram": np.ones(7) / 7 for side in ("before", "behind")}
    shapes |= {"before_skewness": 0.4, "behind_skewness": 1.7, "edges": EDGES}
    arms = combinations(place=placement.PLACES, activation=["relu", "sigmoid"])
    rows = [
        Measured(Unit.of(1000, part="tuning", rate=rate, **arm), {"held_out": 0.8 + rate / 100}, 0.0)
        for arm in arms
        for rate in (0.1, 0.3, 1.0)
    ]
    rows += [
        Measured(Unit.of(seed, part="reported", rate=0.3, **arm), {"accuracy": 0.9, **shapes}, 0.0)
        for arm in arms
        for seed in (0, 1)
    ]
    return Result("placement", "?", {}, {}, tuple(rows))


def test_every_place_is_shown_for_every_nonlinearity_and_rate(sound):
    shown = sound(placement.draw(made_up()), "relu, both: 90.0 at rate 0.3", "sigmoid, nowhere")
    for word in ("nowhere", "before", "after", "both", "learning rate"):
        assert word in shown


def test_the_shapes_on_both_sides_come_with_their_skewness(sound):
    shown = sound(placement.shapes(made_up()), "what comes out has mean absolute skewness 1.70")
    assert "what goes in: skewness 0.40" in shown
