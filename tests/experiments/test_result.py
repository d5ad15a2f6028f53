import json

import numpy as np
import pytest

from bncourse.experiments import NAMES, load, regularization
from bncourse.experiments.result import Measured, Result, Unit, grid, plain, recorded


@pytest.fixture
def result():
    rows = []
    for unit in grid([0, 1, 2], norm=["none", "batch"]):
        bonus = 1.0 if unit["norm"] == "batch" else 0.0
        values = {"accuracy": unit.seed + bonus, "curve": np.array([unit.seed, 5.0])}
        rows.append(Measured(unit, values, 0.5))
    return Result("batch_size", "Does it?", {"seeds": [0, 1, 2]}, {"seconds": 3.0}, tuple(rows))


def test_values_come_in_the_order_of_the_seeds(result):
    assert result.values("accuracy", norm="batch").tolist() == [1.0, 2.0, 3.0]
    assert result.values("curve", norm="none").tolist() == [[0, 5], [1, 5], [2, 5]]


def test_a_difference_is_taken_seed_by_seed(result):
    found = result.difference("accuracy", {"norm": "batch"}, {"norm": "none"})
    assert (found.mean, found.low, found.high) == (1.0, 1.0, 1.0)
    wide = result.interval("accuracy", norm="batch")
    assert wide.high - wide.low > 4


def test_an_unknown_value_or_condition_is_named(result):
    with pytest.raises(ValueError, match=r"no 'loss' under .* It measured accuracy, curve"):
        result.values("loss", norm="batch")
    with pytest.raises(ValueError, match=r"no 'accuracy' under \{'norm': 'layer'\}"):
        result.values("accuracy", norm="layer")


def test_an_ambiguous_condition_is_refused(result):
    with pytest.raises(ValueError, match="several conditions"):
        result.values("accuracy")


def test_save_and_load_give_the_same_result(result, tmp_path):
    result.save(tmp_path / "r.json")
    back = load(tmp_path / "r.json")
    assert back.config == result.config and back.provenance == result.provenance
    assert [m.unit for m in back.units] == [m.unit for m in result.units]
    np.testing.assert_array_equal(back.values("curve", norm="none"), result.values("curve", norm="none"))


def test_what_is_not_finite_is_stored_as_null_and_read_as_nan(tmp_path):
    values = {"loss": plain(np.array([1.0, np.nan, np.inf]))}
    Result("x", "?", {}, {}, (Measured(Unit.of(0), values, 0.0),)).save(tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text())["units"][0]["values"]["loss"] == [1.0, None, None]
    np.testing.assert_array_equal(load(tmp_path / "r.json").values("loss"), [[1.0, np.nan, np.nan]])


def test_another_file_is_refused(tmp_path):
    (tmp_path / "r.json").write_text('{"format": "other"}')
    with pytest.raises(ValueError, match="is not a Result"):
        load(tmp_path / "r.json")


def test_an_experiment_that_was_not_recorded_is_refused():
    with pytest.raises(ValueError, match="no full run of 'nothing' is recorded"):
        recorded("nothing")


def test_every_experiment_has_a_question_and_two_sizes():
    from bncourse.experiments import experiment

    for name in NAMES:
        module = experiment(name)
        assert module.QUESTION.endswith("?")
        assert type(module.FULL) is type(module.QUICK)
        assert len(module.QUICK.seeds) >= 3 and len(module.FULL.seeds) >= 3
        assert module.__doc__ and len(module.__doc__.splitlines()) > 2


def test_a_number_of_seeds_holds_for_every_part_but_the_tuning():
    config = regularization.FULL.with_seeds(2)
    assert config.seeds == config.disguise_seeds == (0, 1)
    assert config.tuning_seeds == regularization.FULL.tuning_seeds
