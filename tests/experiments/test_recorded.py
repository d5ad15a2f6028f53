"""Every recorded run that ships is whole: the full Config, every unit, every value, and where it comes from."""

import importlib
from pathlib import Path

import pytest

from bncourse import experiments
from bncourse.experiments.result import as_dict, load, recorded

FILES = sorted((Path(experiments.__file__).parent / "recorded").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_run_is_whole(path: Path) -> None:
    result, module = recorded(path.stem), importlib.import_module(f"bncourse.experiments.{path.stem}")
    assert (result.experiment, result.question) == (path.stem, module.QUESTION)
    assert result.config == as_dict(module.FULL)
    assert {(unit.condition, unit.seed) for unit in module.units(module.FULL, ())} <= {
        (measured.unit.condition, measured.unit.seed) for measured in result.units
    }
    assert all(measured.values and measured.seconds >= 0 for measured in result.units)
    assert set(result.provenance) >= {"created", "seconds", "versions", "machine", "data"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_run_is_read_and_written_unchanged(path: Path, tmp_path: Path) -> None:
    load(path).save(tmp_path / path.name)
    assert (tmp_path / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


def test_an_experiment_that_is_not_recorded_says_so() -> None:
    with pytest.raises(ValueError, match="no full run of 'nothing' is recorded"):
        recorded("nothing")
