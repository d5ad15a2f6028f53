"""Every recorded run that ships is whole: the full Config, every unit, every value, and where it comes from."""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jsonschema
import numpy as np
import pytest

from bncourse import experiments
from bncourse.experiments.result import Label, Measured, Result, Unit, as_dict, load
from bncourse.experiments.result import recorded as read
from bncourse.experiments.tuning import LEARNED

SCHEMA = json.loads((Path(experiments.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))
FILES = sorted((Path(experiments.__file__).parent / "recorded").glob("*.json"))


@cache
def recorded(name: str) -> Result:
    return read(name)


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
WIDE = 1000
"""Factor between the highest and the lowest rate tried before an arm may be said to learn at none of them."""


class Arm(NamedTuple):
    """One side of a comparison."""

    scores: dict[float, float]
    """Mean held-out accuracy by rate."""
    tuning: list[Measured]
    reported: list[Measured]


def arms(result: Result) -> Iterator[Arm]:
    """Give each arm that was tuned, as the record's own units tell."""
    found: dict[tuple[tuple[str, Label], ...], list[Measured]] = {}
    for m in result.units:
        if ("part", "tuning") in m.unit.condition:
            found.setdefault(tuple(p for p in m.unit.condition if p[0] not in ("part", "rate")), []).append(m)
    for labels, tuning in found.items():
        by_rate: dict[float, list[float]] = {}
        for m in tuning:
            by_rate.setdefault(m.unit["rate"], []).append(m.values["held_out"])
        scores = {rate: float(np.mean(by_rate[rate])) for rate in sorted(by_rate)}
        wanted = {("part", "reported"), *labels}
        yield Arm(scores, tuning, [m for m in result.units if wanted <= set(m.unit.condition)])


def seeds(units: list[Measured]) -> set[int]:
    return {m.unit.seed for m in units}


def has_at_least_five_seeds(result: Result) -> None:
    assert len(result.config["seeds"]) >= 5


def has_no_best_rate_at_an_edge(result: Result) -> None:
    for arm in arms(result):
        rates, best = list(arm.scores), max(arm.scores.values())
        nothing_learned = best < LEARNED and rates[-1] / rates[0] >= WIDE
        assert nothing_learned or max(arm.scores[rates[0]], arm.scores[rates[-1]]) < best, arm.scores


def chooses_no_rate_on_the_test_set(result: Result) -> None:
    for arm in arms(result):
        assert not any("accuracy" in m.values for m in arm.tuning), "a tuning run was tested"
        assert {m.unit["rate"] for m in arm.reported} == {max(arm.scores, key=lambda rate: arm.scores[rate])}


def chooses_no_rate_with_a_reported_seed(result: Result) -> None:
    for arm in arms(result):
        assert not seeds(arm.reported) & seeds(arm.tuning)


def reports_every_arm_with_every_seed(result: Result) -> None:
    for arm in arms(result):
        assert seeds(arm.reported) >= set(result.config["seeds"])


def tries_every_rate_of_an_arm_with_the_same_seeds(result: Result) -> None:
    for arm in arms(result):
        tried = {(m.unit["rate"], m.unit.seed) for m in arm.tuning}
        assert tried == {(rate, seed) for rate in arm.scores for seed in seeds(arm.tuning)}


RULES = (
    has_at_least_five_seeds,
    has_no_best_rate_at_an_edge,
    chooses_no_rate_on_the_test_set,
    chooses_no_rate_with_a_reported_seed,
    reports_every_arm_with_every_seed,
    tries_every_rate_of_an_arm_with_the_same_seeds,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_run_keeps_every_rule_of_comparing(path: Path, rule: Callable[[Result], None]) -> None:
    rule(recorded(path.stem))


def changed(change: Callable[[Measured], Measured | None]) -> Result:
    """Return a recorded run with each unit changed, or left out where the change is None."""
    result = recorded("placement")
    return replace(result, units=tuple(m for old in result.units if (m := change(old)) is not None))


def moved(m: Measured, *, seed: int | None = None, **labels: Label) -> Measured:
    """Put a unit elsewhere."""
    unit = Unit.of(m.unit.seed if seed is None else seed, **{**dict(m.unit.condition), **labels})
    return Measured(unit, m.values, m.seconds)


def is_part(m: Measured, part: str) -> bool:
    return bool(m.unit["part"] == part)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        # the next higher rates were never tried
        (has_no_best_rate_at_an_edge, lambda m: None if is_part(m, "tuning") and m.unit["rate"] > 0.3 else m),
        (chooses_no_rate_on_the_test_set, lambda m: replace(m, values={"accuracy": 0.9, **m.values})),
        (chooses_no_rate_on_the_test_set, lambda m: moved(m, rate=0.1) if is_part(m, "reported") else m),
        (chooses_no_rate_with_a_reported_seed, lambda m: moved(m, seed=0) if m.unit.seed == 1000 else m),
        (reports_every_arm_with_every_seed, lambda m: None if m.unit.seed == 3 else m),
        (
            tries_every_rate_of_an_arm_with_the_same_seeds,
            lambda m: None if m.unit.seed == 1001 and m.unit["rate"] == 0.1 else m,
        ),
    ],
    ids=lambda value: getattr(value, "__name__", "").strip("<>"),
)
def test_a_rule_of_comparing_notices_a_record_that_breaks_it(
    rule: Callable[[Result], None], change: Callable[[Measured], Measured | None]
) -> None:
    with pytest.raises(AssertionError):
        rule(changed(change))


def test_an_arm_may_learn_nothing_only_where_widely_different_rates_were_tried() -> None:
    def tried(*rates: float) -> Result:
        unit = [Measured(Unit.of(1000, part="tuning", rate=rate, arm="a"), {"held_out": 0.1}, 0.0) for rate in rates]
        return replace(recorded("placement"), units=tuple(unit))

    has_no_best_rate_at_an_edge(tried(0.001, 0.01, 0.1, 1.0))
    with pytest.raises(AssertionError):
        has_no_best_rate_at_an_edge(tried(0.03, 0.1, 0.3, 1.0))


@pytest.mark.parametrize("name", [path.stem for path in FILES if path.stem not in TUNED])
def test_without_tuning_nothing_was_chosen_from_what_was_measured(name: str) -> None:
    module = importlib.import_module(f"bncourse.experiments.{name}")
    planned_before = {(unit.condition, unit.seed) for unit in module.units(module.FULL, {})}
    assert {(m.unit.condition, m.unit.seed) for m in recorded(name).units} == planned_before


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
        read("nothing")
