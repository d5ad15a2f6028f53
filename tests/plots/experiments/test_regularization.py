from collections.abc import Callable

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import draw
from bncourse.plots.experiments.regularization import disguise, noise

SEEDS = (0, 1, 2)
DECAYED = ("nowhere", "everywhere", "before a normalization", "elsewhere")


def made_up() -> Result:
    axes = {"norm": ["none", "batch"], "dropout": [0.0, 0.5], "decay": [0.0, 0.01], "rate": [0.3]}
    rows = [
        Measured(unit, {"accuracy": 0.9 + 0.01 * (unit["norm"] == "batch") + 0.001 * unit.seed}, 0.0)
        for unit in grid(SEEDS, part=["reported"], **axes)
    ]
    rows += [
        Measured(unit, {"noise": (1.5 / unit["batch_size"]) ** 0.5}, 0.0)
        for unit in grid(SEEDS, part=["noise"], batch_size=[8, 32])
    ]
    rows += [
        Measured(unit, {"accuracy": 0.9 + 0.02 * (unit["decayed"] == DECAYED[2])}, 0.0)
        for unit in grid(SEEDS, part=["disguise"], decayed=DECAYED)
    ]
    rows += [
        Measured(unit, {"accuracy": 0.92 + 0.001 * unit.seed}, 0.0)
        for unit in grid(SEEDS, part=["reported"], decayed=["nowhere"], rate=[0.3])
    ]
    config = {"seeds": SEEDS, "disguise_seeds": SEEDS, "decayed": DECAYED}
    config |= {"disguise_rate": 0.1, "disguise_decay": 0.01}
    return Result("regularization", "?", config, {}, tuple(rows))


def test_the_grid_has_a_panel_for_each_share_of_dropout(sound: Callable[..., str]) -> None:
    shown = sound(draw(made_up()), "with batch norm, dropout 0.5: 91.1, 91.1")
    assert "dropout 0.5" in shown
    assert "weight decay (L2)" in shown


def test_the_noise_stands_beside_its_formula(sound: Callable[..., str]) -> None:
    assert "square root of 1.5 / m" in sound(noise(made_up()), "0.43 at 8")


def test_l2_on_each_place_stands_beside_no_l2_and_beside_a_higher_rate() -> None:
    body = {row[0]: row[1:] for row in disguise(made_up()).body}
    assert body["L2 of 0.01 before a normalization"] == ("0.1", "92.0 (92.0 to 92.0)", "+2.0 (+2.0 to +2.0)")
    assert body["L2 of 0.01 elsewhere"][2] == "+0.0 (+0.0 to +0.0)"
    assert body["no L2, its own best rate"] == ("0.3", "92.1 (92.0 to 92.2)", "+2.1 (+2.0 to +2.2)")
