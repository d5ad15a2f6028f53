import numpy as np

from bncourse.experiments import recorded
from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import landscape


def test_every_measure_is_shown_at_every_rate(sound):
    shown = sound(landscape.draw(recorded("landscape")), "at rate 0.1", "at rate 1")
    for word in ("loss varies by", "beta", "rougher", "with batch norm / without"):
        assert word in shown


def test_twice_and_half_have_the_mean_ratio_one():
    rows = [
        Measured(Unit.of(seed, norm=norm, rate=1.0), {"beta": value}, 0.0)
        for norm, values in (("batch", (4.0, 1.0)), ("none", (2.0, 2.0)))
        for seed, value in enumerate(values)
    ]
    found = landscape.mean_ratio(Result("landscape", "?", {}, {}, tuple(rows)), "beta", 1.0)
    np.testing.assert_allclose(found.mean, 1.0, rtol=1e-12, atol=0)
    np.testing.assert_allclose(found.low * found.high, 1.0, rtol=1e-12, atol=0)


def test_a_measure_is_followed_over_the_steps(sound):
    shown = sound(landscape.over_steps(recorded("landscape"), "loss_spread"), "loss spread", "at rate 0.1")
    assert "rate 1" in shown
