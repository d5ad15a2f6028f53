from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots import layer_norm


def test_company_shows_the_four_kinds(sound: Callable[..., str]) -> None:
    shown = sound(layer_norm.company(samples=4, channels=6, groups=2))
    for kind in ("batch norm", "layer norm", "group norm", "instance norm"):
        assert kind in shown


def test_small_batches_tells_each_accuracy(sound: Callable[..., str]) -> None:
    rows = [
        Measured(Unit.of(seed, norm="batch", batch_size=size), {"accuracy": 0.5 + size / 100}, 0.0)
        for seed in (0, 1)
        for size in (2, 8)
    ]
    result = Result("batch_size", "?", {}, {}, tuple(rows))
    sound(layer_norm.small_batches(result, (2, 8), ("batch",)), "batch [52, 58]")
