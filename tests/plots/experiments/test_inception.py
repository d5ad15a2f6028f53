from collections.abc import Callable

import numpy as np

from bncourse.experiments.inception_recipes import CHANGES
from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.experiments import inception

CURVES = {
    "Inception": [0.5, 0.7, 0.9, 0.8],
    "BN-Baseline": [0.7, 0.9, 0.91, 0.92],
    "BN-x5": [0.9, 0.92, 0.95, 0.96],
    "BN-x30": [0.3, 0.91, 0.97, 0.98],
    "BN-x5-Sigmoid": [0.2, 0.5, 0.6, 0.7],
    **{f"without {change}": [0.5, 0.8, 0.9, 0.93] for change in CHANGES},
}


def made_up() -> Result:
    units = []
    for variant, curve in CURVES.items():
        for seed in (0, 1):
            # the second seed of the sigmoid network diverges after its second look
            looks = 2 if (variant, seed) == ("BN-x5-Sigmoid", 1) else 4
            accuracies = [value - 0.01 * seed for value in curve[:looks]]
            values = {"steps": [10, 20, 30, 40][:looks], "accuracies": accuracies, "accuracy": max(accuracies)}
            units.append(Measured(Unit.of(seed, part="reported", variant=variant, rate=0.1), values, 0.0))
    config = {"seeds": [0, 1], "variants": list(CURVES), "every": 10, "steps": 40}
    return Result("inception", "Which?", config, {}, tuple(units))


def test_steps_to_the_baseline_are_counted_seed_by_seed() -> None:
    result = made_up()
    np.testing.assert_array_equal(inception.steps_to_baseline(result, "Inception"), [30, 30])
    np.testing.assert_array_equal(inception.steps_to_baseline(result, "BN-x5"), [10, 10])
    assert np.isnan(inception.steps_to_baseline(result, "BN-x5-Sigmoid")).all()


def test_the_table_sets_ours_beside_the_published_and_names_what_never_arrives() -> None:
    rows = {row[0]: row[1:] for row in inception.table(made_up()).body}
    assert rows["BN-x5"] == ("5", "10 ± 10", "3 ± 3", "95.5 ± 6.4", "2.1", "14.8", "73.0")
    assert rows["BN-x5-Sigmoid"][:3] == ("5", "never", "")
    assert rows["BN-x5-Sigmoid"][4:] == ("never", "", "69.8")
    assert rows["Inception"][2] == "1" and rows["Inception"][4:] == ("31.0", "1.0", "72.2")


def test_each_change_is_undone_in_the_second_table() -> None:
    body = inception.changes(made_up()).body
    assert [row[0] for row in body] == list(inception.UNDONE.values())
    assert {row[1:3] for row in body} == {("30 ± 10", "3 ± 3")}
    assert {row[4] for row in body} == {"−3.00 in all seeds"}


def test_the_curves_of_the_published_rows_are_drawn(sound: Callable[..., str]) -> None:
    shown = sound(inception.draw(made_up()), "BN-x30 97.50")
    for row in inception.ROWS:
        assert row in shown


def test_a_change_is_drawn_by_what_undoing_it_means(sound: Callable[..., str]) -> None:
    shown = sound(inception.contributions(made_up()), "dropout kept 30 ± 10 and 92.50")
    for name in inception.UNDONE.values():
        assert name in shown


def test_only_the_seeds_that_arrived_are_dots() -> None:
    result = made_up()
    late = [m for m in result.units if m.unit["variant"] == "without reshuffling" and m.unit.seed == 1]
    late[0].values["accuracies"][:] = [0.1, 0.2, 0.3, 0.4]
    assert "same batches again in 1 of 2 seeds" in inception.contributions(result).alt


def test_the_published_table_is_drawn_with_the_row_that_never_arrives(sound: Callable[..., str]) -> None:
    shown = sound(inception.published(), "BN-x5 2.1 million and 73.0 %", "BN-x5-Sigmoid never and 69.8 %")
    for row in inception.ROWS:
        assert row in shown
