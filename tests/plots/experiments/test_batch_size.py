from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import batch_size, draw

NORMS = ("none", "batch", "ghost", "renorm", "layer", "group")


def made_up() -> Result:
    rows = [
        Measured(unit, {"accuracy": 0.8 + 0.01 * NORMS.index(unit["norm"]) + 0.001 * unit.seed}, 0.0)
        for unit in grid((0, 1, 2), norm=NORMS, batch_size=[2, 64])
    ]
    return Result("batch_size", "?", {}, {}, tuple(rows))


def test_every_normalization_but_ghost_is_in_the_first_figure(sound: Callable[..., str]) -> None:
    shown = sound(draw(made_up()), "with batch norm 81.1, 81.1")
    assert "batch renorm" in shown
    assert "ghost" not in shown


def test_ghost_batches_are_compared_with_batch_norm(sound: Callable[..., str]) -> None:
    assert "with batch norm" in sound(batch_size.ghost(made_up()), "ghost batch norm 82.1, 82.1")
