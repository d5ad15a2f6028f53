from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import initialization


def made_up() -> Result:
    units = [
        Measured(
            Unit.of(seed, norm=norm, scale=scale, rate=rate),
            {"accuracy": 0.1 if norm == "none" and scale > 1 else 0.9, "diverged": float(norm == "none" and scale > 1)},
            0.0,
        )
        for seed in (0, 1)
        for norm in ("none", "batch")
        for scale in (1.0, 100.0)
        for rate in (0.1, 1.0)
    ]
    config = {"norms": ["none", "batch"], "scales": [1.0, 100.0], "rates": [0.1, 1.0]}
    return Result("initialization", "Which?", config, {}, tuple(units))


def test_every_rate_has_its_line_and_divergence_its_cross(sound: Callable[..., str]) -> None:
    shown = sound(
        initialization.draw(made_up()),
        "without at a rate of 0.1: 90, 10",
        "with batch norm at a rate of 1: 90, 90",
    )
    assert "rate 0.1" in shown
    assert "all diverged" in shown
