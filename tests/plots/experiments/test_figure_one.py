from collections.abc import Callable

import numpy as np
import pytest

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import figure_one

STEPS = [0, 1, 20, 60, 100]
RISING = {"none": [0.1, 0.1, 0.2, 0.8, 0.9], "batch": [0.1, 0.2, 0.8, 0.9, 0.95]}
BEST = {"none": 1.0, "batch": 3.0}


def made_up() -> Result:
    units = []
    for norm, rising in RISING.items():
        for rate in (1.0, 3.0):
            values = {"held_out": 0.9 if rate == BEST[norm] else 0.6}
            units.append(Measured(Unit.of(1000, part="tuning", norm=norm, rate=rate), values, 0.0))
        for written in ("numpy", "torch"):
            for seed in (0, 1):
                where = Unit.of(seed, part="reported", norm=norm, written=written, rate=BEST[norm])
                spread = np.outer(np.arange(5.0), [-1, 0, 1]).tolist()
                read = {"steps": STEPS, "accuracy": [value - 0.01 * seed for value in rising], "percentiles": spread}
                units.append(Measured(where, read, 0.0))
    return Result("figure_one", "Which?", {"seeds": [0, 1], "rates": [1.0, 3.0]}, {}, tuple(units))


def test_both_sides_are_drawn_whole_and_close_up(sound: Callable[..., str]) -> None:
    shown = sound(figure_one.draw(made_up()), "with batch norm", "94.5 at the end")
    assert "the whole run" in shown
    assert "close up" in shown


def test_three_percentiles_of_each_side_are_drawn_for_the_seed_asked_for(sound: Callable[..., str]) -> None:
    shown = sound(figure_one.percentiles(made_up(), seed=1), "seed 1", "between -4.0 and 4.0")
    for name in ("85th", "50th", "15th"):
        assert f"{name} percentile" in shown


def test_each_sides_best_rate_is_named(sound: Callable[..., str]) -> None:
    sound(figure_one.tuning(made_up()), "without best at 1 with 10.00", "with batch norm best at 3 with 10.00")


def test_steps_until_an_accuracy_are_those_of_the_first_look_that_has_it() -> None:
    assert figure_one.steps_until(made_up(), "batch", 0.79) == "20 in all seeds"
    assert figure_one.steps_until(made_up(), "none", 0.79) == "60 in all seeds"


def test_an_accuracy_that_some_seed_never_has_is_not_averaged_away() -> None:
    assert figure_one.steps_until(made_up(), "none", 0.895) == "never in 1 of 2 seeds"


def test_travel_is_counted_in_widths_between_two_steps() -> None:
    result = made_up()
    for measured in result.units:
        if measured.unit["part"] == "reported":
            # the median moves by 1, 2, 3, 4; the width is always 2
            measured.values["percentiles"][:] = [[place - 1.0, place, place + 1.0] for place in (0, 1, 3, 6, 10)]
    assert figure_one.travel(result, "batch", after=0, until=100).mean == 5.0
    assert figure_one.travel(result, "none", after=1, until=60).mean == 2.5


def test_a_seed_that_was_not_run_is_refused() -> None:
    with pytest.raises(ValueError, match="7"):
        figure_one.percentiles(made_up(), seed=7)
