from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import draw

ORDERS = ("fixed", "fixed batches, new order", "reshuffled")


def test_the_gain_is_taken_seed_by_seed_against_each_other_order(sound: Callable[..., str]) -> None:
    rows = [
        Measured(unit, {"accuracy": 0.9 + 0.02 * unit.seed + 0.005 * ORDERS.index(unit["order"])}, 0.0)
        for unit in grid((0, 1, 2), norm=["none", "batch"], order=ORDERS, batch_size=[8])
    ]
    drawn = draw(Result("shuffling", "?", {}, {}, tuple(rows)))
    shown = sound(drawn, "with batch norm, 8, against fixed: 1.00", "against fixed batches, new order: 0.50")
    assert "against the same batches in a new order" in shown
