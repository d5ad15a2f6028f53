import pytest

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.experiments.tuning import TunedConfig, arms_of, plan, rate_of, rung, tried

CONFIG = TunedConfig(seeds=(0, 1), tuning_seeds=(1000,), rates=(0.1, 0.3), limits=(0.01, 10.0), held_out=200)


def work_off(config, arms, held_out):
    """Finish whatever is planned, with a made-up held-out accuracy for each rate, until nothing new is planned."""
    finished = {}
    while missing := [unit for unit in plan(config, finished, arms) if unit not in finished]:
        for unit in missing:
            tuning = unit["part"] == "tuning"
            finished[unit] = {"held_out": held_out(unit)} if tuning else {"accuracy": 0.5}
    return plan(config, finished, arms)


@pytest.mark.parametrize("best", [0.03, 0.1, 0.3, 1.0, 3.0])
def test_the_best_rate_is_found_wherever_it_lies_and_its_neighbors_were_tried(best):
    planned = work_off(CONFIG, [{"norm": "batch"}], lambda unit: 0.9 - abs(unit["rate"] - best) / 100)
    tried_rates = {unit["rate"] for unit in planned if unit["part"] == "tuning"}
    assert {rung(best, -1), best, rung(best, 1)} <= tried_rates
    assert {unit["rate"] for unit in planned if unit["part"] == "reported"} == {best}
    assert [unit.seed for unit in planned if unit["part"] == "reported"] == [0, 1]


def test_an_arm_that_learns_nothing_is_tried_on_the_whole_ladder():
    planned = work_off(CONFIG, [{"norm": "none"}], lambda unit: 0.1)
    assert {unit["rate"] for unit in planned if unit["part"] == "tuning"} == {0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0}


def test_each_arm_has_its_own_rate():
    best = {"none": 0.1, "batch": 1.0}
    arms = [{"norm": norm} for norm in best]
    planned = work_off(CONFIG, arms, lambda unit: 0.9 - abs(unit["rate"] - best[unit["norm"]]))
    rows = [
        Measured(unit, {"held_out": 0.9} if unit["part"] == "tuning" else {"accuracy": 0.5}, 0.0) for unit in planned
    ]
    result = Result("made_up", "?", {}, {}, tuple(rows))
    assert arms_of(result) == arms
    assert {norm: rate_of(result, norm=norm) for norm in best} == best
    assert list(tried(result, norm="none")) == [0.03, 0.1, 0.3]
    with pytest.raises(ValueError, match="names 2 rates"):
        rate_of(result)


def test_no_run_is_planned_on_the_test_set_before_its_rate_is_chosen():
    assert {unit["part"] for unit in plan(CONFIG, {}, [{"norm": "none"}])} == {"tuning"}


def test_a_unit_of_an_arm_carries_its_labels():
    assert plan(CONFIG, {}, [{"norm": "none", "depth": 2}])[0] == Unit.of(
        1000, part="tuning", rate=0.1, norm="none", depth=2
    )
