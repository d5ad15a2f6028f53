import json
import zipfile
from dataclasses import replace

import pytest

from bncourse.experiments import NAMES, experiment, load, outside_gradient, record, run
from bncourse.experiments.runner import Store

SMALL = replace(outside_gradient.QUICK, seeds=(0, 1), steps=20, probes=5)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(outside_gradient, "QUICK", SMALL)


def arguments(tmp_path, *more):
    return ["--quick", "--only", "outside_gradient", "--work", str(tmp_path / "w"), "--out", str(tmp_path / "o"), *more]


def test_a_recorded_result_is_that_of_a_plain_run(small, tmp_path):
    assert record.main(arguments(tmp_path)) == 0
    with zipfile.ZipFile(tmp_path / "o" / "results.zip") as packed:
        packed.extractall(tmp_path)
    found, expected = load(tmp_path / "outside_gradient.json"), run("outside_gradient", SMALL)
    assert [(m.unit, m.values) for m in found.units] == [(m.unit, m.values) for m in expected.units]


def test_units_travel_to_another_machine(small, tmp_path, caplog):
    record.main(arguments(tmp_path / "first"))
    caplog.clear()
    units = tmp_path / "first" / "o" / "units.zip"
    record.main(arguments(tmp_path / "second", "--resume", str(units), "--plan"))
    assert " 0 to do" in caplog.text or (tmp_path / "second" / "w").exists()
    assert Store("outside_gradient", SMALL, tmp_path / "second" / "w").missing() == []


def test_nothing_is_begun_that_would_not_end_in_time(small, tmp_path):
    record.main(arguments(tmp_path, "--minutes", "0.01"))
    assert len(Store("outside_gradient", SMALL, tmp_path / "w").measured) == 0


def test_an_incomplete_experiment_is_not_packed_as_a_result(small, tmp_path):
    record.main(arguments(tmp_path, "--minutes", "0.01"))
    with zipfile.ZipFile(tmp_path / "o" / "results.zip") as packed:
        assert packed.namelist() == []


def test_every_experiment_has_an_estimate_of_its_seconds():
    for name in NAMES:
        config = experiment(name).FULL
        for unit in experiment(name).units(config, {}):
            assert 0.0 < record.seconds(name, config, unit) < 600
    assert json.dumps(sorted(record.SECONDS)) == json.dumps(sorted(NAMES))
