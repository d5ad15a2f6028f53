from collections.abc import Callable

import numpy as np

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.experiments.rotation import labels
from bncourse.plots.experiments import draw

RUNS = (("SGD", 0.0, 0.1, 0.01), ("AdamW", 0.9, 0.01, 0.1))


def test_each_optimizer_is_named_with_its_turn_and_the_formula(sound: Callable[..., str]) -> None:
    values = {"lengths": np.full(6, 3.0), "turns": np.full(5, 0.04), "turn": 0.04, "expected_turn": 0.045}
    rows = [Measured(Unit.of(seed, **labels(run)), values, 0.0) for run in RUNS for seed in (0, 1, 2)]
    result = Result("rotation", "?", {"runs": RUNS, "steps": 100}, {}, tuple(rows))
    shown = sound(draw(result), "turn 0.0400 where the formula says 0.0450")
    assert "SGD, rate 0.1, decay 0.01" in shown
    assert "AdamW, momentum 0.9, rate 0.01, decay 0.1" in shown
