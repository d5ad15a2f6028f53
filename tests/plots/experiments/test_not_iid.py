from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import draw


def test_accuracy_is_told_for_each_number_of_classes(sound: Callable[..., str]) -> None:
    rows = [
        Measured(unit, {"accuracy": 0.2 if (unit["norm"], unit["classes"]) == ("batch", 1) else 0.9}, 0.0)
        for unit in grid((0, 1), norm=["none", "batch", "group"], classes=[1, 10])
    ]
    shown = sound(draw(Result("not_iid", "?", {}, {}, tuple(rows))), "with batch norm 20.0, 90.0")
    assert "group norm" in shown
