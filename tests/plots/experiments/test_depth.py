from collections.abc import Callable

import numpy as np

from bncourse.experiments.depth import ARMS
from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import draw
from bncourse.plots.experiments.depth import question, table


def made_up() -> Result:
    rows = []
    for shape, norm in ARMS:
        arm = {"shape": shape, "norm": norm, "depth": 4}
        start = {"signal": np.arange(1.0, 6.0), "share": np.full(4, 0.5), "gradient": np.ones(5)}
        start |= {"signal_growth": 5.0, "last_share": 0.5}
        for seed in (0, 1):
            rows.append(Measured(Unit.of(seed, part="start", **arm), start, 0.0))
            values = {"accuracy": 0.9 if norm == "batch" else 0.1}
            rows.append(Measured(Unit.of(seed, part="reported", rate=0.3, **arm), values, 0.0))
    return Result("depth", "?", {"seeds": [0, 1]}, {}, tuple(rows))


def test_every_network_is_named_with_its_accuracy(sound: Callable[..., str]) -> None:
    shown = sound(
        draw(made_up()), "residual, batch norm: 90.0 at 4 blocks", "plain, no normalization: 10.0 at 4 blocks"
    )
    for word in ("variance of the signal", "share of the branch", "one scalar from 0", "Fixup-like"):
        assert word in shown


def test_the_table_has_a_row_for_every_network() -> None:
    body = table(made_up()).body
    assert len(body) == len(ARMS)
    assert ("4", "residual", "batch norm", "0.3", "90.0 in all seeds", "5", "0.5") in body


def test_the_question_shows_the_shallow_networks_and_leaves_the_deep_ones_open(sound: Callable[..., str]) -> None:
    shown = sound(question(made_up(), 4), "residual, batch norm 90.0", "a question mark at 4 blocks")
    assert "?" in shown
    assert "plain, no normalization" in shown
