from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import draw
from bncourse.plots.experiments.inference_statistics import SOURCES, bias


def made_up() -> Result:
    rows = [
        Measured(unit, {name: 0.9 + 0.01 * place for place, name in enumerate(SOURCES)}, 0.0)
        for unit in grid((0, 1, 2), part=["trained"], batch_size=[4, 16], momentum=[0.1, 0.5])
    ]
    rows += [
        Measured(unit, {"biased": 1 - 1 / unit["batch_size"], "corrected": 1.0}, 0.0)
        for unit in grid((0, 1, 2), part=["bias"], batch_size=[2, 8])
    ]
    return Result("inference_statistics", "?", {"batch_sizes": [4, 16], "bias_sizes": [2, 8]}, {}, tuple(rows))


def test_the_four_readings_of_one_network_are_shown(sound: Callable[..., str]) -> None:
    shown = sound(draw(made_up()), "moving average 10.00, 10.00")
    for look in SOURCES.values():
        assert look.name in shown


def test_the_bias_of_the_batch_variance_is_told(sound: Callable[..., str]) -> None:
    sound(bias(made_up()), "0.500 at 2, 0.875 at 8")
