"""Every recorded run that ships is whole: the full Config, every unit, every value, and where it comes from."""

import importlib
import json
from pathlib import Path

import jsonschema
import pytest

from bncourse import experiments
from bncourse.experiments.result import as_dict, load, recorded

SCHEMA = json.loads((Path(experiments.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))
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
def test_a_recorded_run_follows_the_schema(path: Path) -> None:
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("format",), "bncourse-experiment/0"),
        (("provenance", "data", "sha256"), "unknown"),
        (("provenance", "machine", "host"), "the-name-of-a-machine"),
        (("config", "seeds"), []),
        (("units", 0, "values"), {}),
        (("units", 0, "seconds"), -1),
    ],
)
def test_the_schema_refuses_what_is_not_a_result(place: tuple[str | int, ...], wrong: object) -> None:
    document = json.loads(FILES[0].read_text(encoding="utf-8"))
    *path, last = place
    inner = document
    for step in path:
        inner = inner[step]
    inner[last] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_run_is_read_and_written_unchanged(path: Path, tmp_path: Path) -> None:
    load(path).save(tmp_path / path.name)
    assert (tmp_path / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


def test_an_experiment_that_is_not_recorded_says_so() -> None:
    with pytest.raises(ValueError, match="no full run of 'nothing' is recorded"):
        recorded("nothing")
