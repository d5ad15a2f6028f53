from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import draw
from bncourse.plots.experiments.residual_convnet import table


def made_up() -> Result:
    rows = []
    for norm, accuracy in (("none", 0.1), ("batch", 0.9)):
        for depth in (2, 16):
            for seed in (0, 1):
                unit = Unit.of(seed, part="reported", norm=norm, depth=depth, rate=0.1)
                rows.append(Measured(unit, {"accuracy": accuracy}, 0.0))
    config = {"seeds": [0, 1], "depths": [2, 16], "norms": ["none", "batch"]}
    return Result("residual_convnet", "?", config, {}, tuple(rows))


def test_every_network_is_named_with_its_accuracy(sound: Callable[..., str]) -> None:
    shown = sound(draw(made_up()), "no normalization: 10.0 at 2 blocks, 10.0 at 16 blocks", "batch norm: 90.0")
    assert "16 blocks" in shown


def test_the_table_has_a_row_for_every_network() -> None:
    assert len(table(made_up()).body) == 4
