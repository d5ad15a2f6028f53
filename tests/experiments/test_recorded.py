"""Every recorded run that ships is whole: the full Config, every unit, every value, and where it comes from."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from bncourse import experiments
from bncourse.experiments.result import Label, Measured, as_dict, load, recorded
from bncourse.experiments.tuning import LEARNED

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


TUNED = [path.stem for path in FILES if any(("part", "tuning") in m.unit.condition for m in recorded(path.stem).units)]


def arms(name: str) -> Iterator[tuple[dict[float, float], list[Measured], list[Measured]]]:
    """Give each tuned arm: its mean held-out accuracy by rate, its tuning units, and its reported units."""
    units = recorded(name).units
    found: dict[tuple[tuple[str, Label], ...], list[Measured]] = {}
    for m in units:
        if ("part", "tuning") in m.unit.condition:
            found.setdefault(tuple(p for p in m.unit.condition if p[0] not in ("part", "rate")), []).append(m)
    for labels, tuning in found.items():
        by_rate: dict[float, list[float]] = {}
        for m in tuning:
            by_rate.setdefault(m.unit["rate"], []).append(m.values["held_out"])
        scores = {rate: float(np.mean(by_rate[rate])) for rate in sorted(by_rate)}
        wanted = {("part", "reported"), *labels}
        yield scores, tuning, [m for m in units if wanted <= set(m.unit.condition)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_run_has_at_least_five_seeds(path: Path) -> None:
    assert len(recorded(path.stem).config["seeds"]) >= 5


@pytest.mark.parametrize("name", TUNED)
def test_no_best_rate_lies_at_the_edge_of_what_was_tried(name: str) -> None:
    for scores, _, _ in arms(name):
        rates, best = list(scores), max(scores, key=lambda rate: scores[rate])
        nothing_learned = scores[best] < LEARNED and len(rates) >= 5
        assert nothing_learned or best not in (rates[0], rates[-1]), scores


@pytest.mark.parametrize("name", TUNED)
def test_no_rate_is_chosen_on_the_test_set_or_with_a_reported_seed(name: str) -> None:
    for scores, tuning, reported in arms(name):
        assert not any("accuracy" in m.values for m in tuning)
        assert {m.unit["rate"] for m in reported} == {max(scores, key=lambda rate: scores[rate])}
        seeds = {m.unit.seed for m in reported}
        assert seeds and not seeds & {m.unit.seed for m in tuning}


@pytest.mark.parametrize("name", TUNED)
def test_every_tuned_arm_is_reported_with_every_seed(name: str) -> None:
    seeds = set(recorded(name).config["seeds"])
    assert all({m.unit.seed for m in reported} >= seeds for _, _, reported in arms(name))


@pytest.mark.parametrize("name", [path.stem for path in FILES if path.stem not in TUNED])
def test_without_tuning_nothing_was_chosen_from_what_was_measured(name: str) -> None:
    module = importlib.import_module(f"bncourse.experiments.{name}")
    planned_before = {(unit.condition, unit.seed) for unit in module.units(module.FULL, {})}
    assert {(m.unit.condition, m.unit.seed) for m in recorded(name).units} == planned_before


@pytest.mark.parametrize("name", TUNED)
def test_every_rate_of_an_arm_is_tried_with_the_same_seeds(name: str) -> None:
    for scores, tuning, _ in arms(name):
        seeds = {m.unit.seed for m in tuning}
        assert {(m.unit["rate"], m.unit.seed) for m in tuning} == {(rate, s) for rate in scores for s in seeds}


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
