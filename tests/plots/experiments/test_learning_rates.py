from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import learning_rates

# accuracy, failed, diverged for each seed
GRID = {
    ("none", 0.1): [(0.9, 0, 0), (0.92, 0, 0)],
    ("none", 10.0): [(0.1, 1, 1), (0.1, 1, 0)],
    ("batch", 0.1): [(0.8, 0, 0), (0.82, 0, 0)],
    ("batch", 10.0): [(0.95, 0, 0), (0.97, 0, 0)],
}


def made_up() -> Result:
    units = [
        Measured(
            Unit.of(seed, part="grid", norm=norm, rate=rate),
            {"accuracy": accuracy, "failed": failed, "diverged": diverged},
            0.0,
        )
        for (norm, rate), runs in GRID.items()
        for seed, (accuracy, failed, diverged) in enumerate(runs)
    ]
    for norm in ("none", "batch"):
        for seed in (0, 1):
            values = {"rates": [0.1, 1.0, 10.0], "range_losses": [2.0, 1.0 if norm == "none" else 0.5, None]}
            units.append(Measured(Unit.of(seed, part="range", norm=norm), values, 0.0))
    return Result("learning_rates", "Which?", {"norms": ["none", "batch"], "grid_rates": [0.1, 10.0]}, {}, tuple(units))


def test_what_diverged_is_named_and_counted(sound: Callable[..., str]) -> None:
    shown = sound(
        learning_rates.draw(made_up()),
        "without 91.0 at 0.1, 10.0 at 10, no seed learning at 10",
        "with batch norm 81.0 at 0.1, 96.0 at 10, learning at every rate",
    )
    assert "diverged" in shown
    assert "learned nothing" in shown
    assert shown.split().count("1") >= 2  # one seed of each kind


def test_the_range_test_leaves_out_what_is_not_finite(sound: Callable[..., str]) -> None:
    shown = sound(learning_rates.range_test(made_up()), "lowest at a rate of 1 with 0.50")
    assert "a guess" in shown
