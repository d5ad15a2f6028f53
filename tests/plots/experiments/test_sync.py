from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import draw
from bncourse.plots.experiments.sync import WAYS


def test_all_four_ways_are_shown_for_each_size(sound: Callable[..., str]) -> None:
    rows = [
        Measured(unit, {f"{way}_accuracy": 0.8 + 0.01 * place for place, way in enumerate(WAYS)}, 0.0)
        for unit in grid((0, 1, 2), local=[2, 4])
    ]
    shown = sound(draw(Result("sync", "?", {"processes": 4}, {}, tuple(rows))), "local, 4 samples a process: 82.0")
    assert "4 processes of 2 samples" in shown
    assert "synchronized" in shown
