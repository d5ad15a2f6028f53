from collections.abc import Callable

import numpy as np

from bncourse.experiments.result import Measured, Result, Unit, grid
from bncourse.plots.experiments import draw
from bncourse.plots.experiments.regularization import equilibrium, noise

SEEDS, PAIRS = (0, 1, 2), ((0.1, 0.01), (0.5, 0.002))


def made_up() -> Result:
    rows = [
        Measured(unit, {"accuracy": 0.9 + 0.01 * (unit["norm"] == "batch") + 0.001 * unit.seed}, 0.0)
        for unit in grid(SEEDS, part=["grid"], norm=["none", "batch"], dropout=[0.0, 0.5], decay=[0.0, 0.01])
    ]
    rows += [
        Measured(unit, {"noise": (1.5 / unit["batch_size"]) ** 0.5}, 0.0)
        for unit in grid(SEEDS, part=["noise"], batch_size=[8, 32])
    ]
    for rate, decay in PAIRS:
        rows += [
            Measured(
                Unit.of(seed, part="equilibrium", rate=rate, decay=decay),
                {"lengths": np.full(6, 3.0), "turns": np.full(5, 0.04), "turn": 0.04, "expected_turn": 0.045},
                0.0,
            )
            for seed in SEEDS
        ]
    return Result("regularization", "?", {"pairs": PAIRS, "equilibrium_steps": 100}, {}, tuple(rows))


def test_the_grid_has_a_panel_for_each_share_of_dropout(sound: Callable[..., str]) -> None:
    shown = sound(draw(made_up()), "with batch norm, dropout 0.5: 91.1, 91.1")
    assert "dropout 0.5" in shown
    assert "weight decay (L2)" in shown


def test_the_noise_stands_beside_its_formula(sound: Callable[..., str]) -> None:
    assert "square root of 1.5 / m" in sound(noise(made_up()), "0.43 at 8")


def test_equilibrium_names_each_pair_of_rate_and_decay(sound: Callable[..., str]) -> None:
    shown = sound(equilibrium(made_up()), "turn 0.040 where the formula says 0.045")
    assert "rate 0.5, decay 0.002" in shown
