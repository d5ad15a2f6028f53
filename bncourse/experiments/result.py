"""What an experiment is given and what it gives back: Config, Unit, Result.

A Result is a long table: one row for each unit, which is one seed under one condition, with the numbers and
curves measured there. Nothing is averaged before it is stored, so every seed can be reported.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np

from bncourse.experiments.statistics import Interval, interval

Array = np.ndarray[Any, Any]
Label = str | int | float | bool
Values = Mapping[str, Any]

FORMAT = "bncourse-experiment/1"
DIGITS = 6
"""Significant digits of stored numbers: more than any seed-to-seed spread, and files stay small."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What every experiment can be told; each experiment adds its own fields."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    data: str = "digits"
    """`digits`, `mnist`, or `none` where the question needs no data set."""
    device: str = "cpu"

    def with_seeds(self, count: int) -> Self:
        """Return the config with that many seeds for all reported runs; those of the tuning stay as they are."""
        names = [f.name for f in fields(self) if f.name.endswith("seeds") and f.name != "tuning_seeds"]
        changed: dict[str, Any] = {name: tuple(range(count)) for name in names}
        return replace(self, **changed)


@dataclass(frozen=True)
class Unit:
    """One seed under one condition: the piece of work that is done, stored and resumed as a whole."""

    seed: int
    condition: tuple[tuple[str, Label], ...]

    @classmethod
    def of(cls, seed: int, **condition: Label) -> "Unit":
        """Name the condition by keywords: `Unit.of(0, norm="batch", rate=0.1)`."""
        return cls(seed, tuple(sorted(condition.items())))

    def __getitem__(self, name: str) -> Any:
        return dict(self.condition)[name]

    @property
    def key(self) -> str:
        """A name for files and messages.

        >>> Unit.of(3, norm="batch", rate=0.1).key
        'norm=batch rate=0.1 seed=3'
        """
        return " ".join([f"{name}={value}" for name, value in self.condition] + [f"seed={self.seed}"])


def grid(seeds: Iterable[int], **axes: Iterable[Label]) -> list[Unit]:
    """Every combination of the axes' values, for every seed.

    >>> [unit.key for unit in grid([0], norm=["none", "batch"], rate=[0.1])]
    ['norm=none rate=0.1 seed=0', 'norm=batch rate=0.1 seed=0']
    """
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    return [Unit.of(seed, **combination) for seed in seeds for combination in combinations]


@dataclass(frozen=True)
class Measured:
    """A finished unit: its values, and the seconds of processor time it took."""

    unit: Unit
    values: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class Result:
    """All that an experiment measured, and where it comes from."""

    experiment: str
    question: str
    config: dict[str, Any]
    provenance: dict[str, Any]
    units: tuple[Measured, ...] = field(repr=False)

    def values(self, name: str, **condition: Label) -> Array:
        """One value (or curve) per seed, in the order of the seeds, under the condition named.

        Raises
        ------
        ValueError
            If no unit matches, or several units of one seed do.
        """
        found = {m.unit.seed: m.values[name] for m in self._matching(condition) if name in m.values}
        if not found:
            names = sorted({key for m in self.units for key in m.values})
            raise ValueError(
                f"{self.experiment} has no {name!r} under {condition}. It measured {', '.join(names)} "
                f"under {self.conditions()[:8]}."
            )
        if len(found) < sum(name in m.values for m in self._matching(condition)):
            raise ValueError(f"{condition} names several conditions of {self.experiment}. Expected one; add a label.")
        return np.array([found[seed] for seed in sorted(found)], dtype=float)

    def interval(self, name: str, **condition: Label) -> Interval:
        """Mean and 95 % interval over the seeds."""
        return interval(self.values(name, **condition))

    def difference(self, name: str, first: Mapping[str, Label], second: Mapping[str, Label]) -> Interval:
        """Mean and 95 % interval of first - second, seed by seed: the same start and batches on both sides."""
        return interval(self.values(name, **first) - self.values(name, **second))

    def conditions(self) -> list[dict[str, Label]]:
        """The distinct conditions, in the order in which they were planned."""
        return [dict(condition) for condition in dict.fromkeys(m.unit.condition for m in self.units)]

    def labels(self, name: str) -> list[Label]:
        """The distinct values of one label of the conditions, sorted where they can be."""
        found = {dict(m.unit.condition)[name] for m in self.units if name in dict(m.unit.condition)}
        return sorted(found, key=lambda value: (isinstance(value, str), value))

    def _matching(self, condition: Mapping[str, Label]) -> list[Measured]:
        wanted = set(condition.items())
        return [m for m in self.units if wanted <= set(m.unit.condition)]

    def save(self, path: Path | str) -> None:
        """Write the Result as JSON, readable by `load` and by eye."""
        document = {
            "format": FORMAT,
            "experiment": self.experiment,
            "question": self.question,
            "config": self.config,
            "provenance": self.provenance,
            "units": [to_json(m) for m in self.units],
        }
        rows = document.pop("units")
        head = json.dumps(document, indent=1, allow_nan=False)
        body = ",\n".join("  " + json.dumps(row, allow_nan=False, separators=(",", ":")) for row in rows)
        Path(path).write_text(head[:-2] + ',\n "units": [\n' + body + "\n ]\n}\n", encoding="utf-8")


def load(path: Path | str) -> Result:
    """Read a Result that `Result.save` wrote.

    Raises
    ------
    ValueError
        If the file is not such a Result.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not a Result: it is not JSON ({error}).") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"{path} is not a Result: expected a JSON object whose format is {FORMAT!r}.")
    units = tuple(from_json(row) for row in document["units"])
    return Result(document["experiment"], document["question"], document["config"], document["provenance"], units)


def recorded(name: str) -> Result:
    """Return the recorded full run that ships with the package.

    Raises
    ------
    ValueError
        If no full run of that name was recorded.
    """
    path = Path(__file__).parent / "recorded" / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.json"))) or "none yet"
        raise ValueError(f"no full run of {name!r} is recorded. Recorded are: {known}.")
    return load(path)


def to_json(measured: Measured) -> dict[str, Any]:
    """Turn a finished unit into a row; NaN and infinities become null, for JSON knows neither."""
    unit = measured.unit
    values = {name: plain(value) for name, value in measured.values.items()}
    return {
        "condition": dict(unit.condition),
        "seed": unit.seed,
        "seconds": round(measured.seconds, 3),
        "values": values,
    }


def from_json(row: Mapping[str, Any]) -> Measured:
    """Undo `to_json`."""
    return Measured(Unit.of(row["seed"], **row["condition"]), dict(row["values"]), row["seconds"])


def plain(value: Any) -> Any:
    """Arrays as nested lists, numbers at six significant digits, what is not finite as None.

    >>> plain(np.array([1 / 3, np.inf])), plain(7), plain(np.float32(0.1))
    ([0.333333, None], 7, 0.1)
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value


def as_dict(config: Config) -> dict[str, Any]:
    """Return the config as JSON would hold it."""
    document: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return document
