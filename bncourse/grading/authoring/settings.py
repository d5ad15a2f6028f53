"""A course's `course.toml` in; its platform, dates, late rule and package out, checked.

The file is the instructor's: what is not in it stays as the masters say it.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bncourse.grading.core.install import Source

FILE = "course.toml"
PLATFORMS = ("canvas", "moodle", "gradescope", "github", "nbgrader", "folder")
EXPECTED = {"index": "PyPI", "site": "https://example.edu/bn"}
_DAY, _HOUR, _MINUTE = 86400.0, 3600.0, 60.0


class SettingsError(ValueError):
    """What is wrong in `course.toml`, and what was expected there."""


@dataclass(frozen=True)
class LateRule:
    """What a late submission loses, as a share of its whole score, written answers included."""

    per_day: float = 0.0
    """Share for each day that has begun."""
    per_hour: float = 0.0
    """Share for each hour that has begun."""
    at_most: float = 1.0
    """The largest share that is ever taken off."""
    grace_minutes: float = 0.0
    """Nothing is lost in so many minutes; who is later still is late from the due date on."""
    nothing_after_days: float | None = None
    """Who is later than that has no points at all."""

    def __call__(self, score: float, seconds: float) -> float:
        """Return the points that are taken off.

        >>> rule = LateRule(per_day=0.1, at_most=0.5, grace_minutes=10, nothing_after_days=7)
        >>> [rule(40.0, seconds) for seconds in (600, 601, 86401, 6 * 86400, 8 * 86400)]
        [0.0, 4.0, 8.0, 20.0, 40.0]
        """
        if seconds <= self.grace_minutes * _MINUTE:
            return 0.0
        if self.nothing_after_days is not None and seconds > self.nothing_after_days * _DAY:
            return score
        share = self.per_day * math.ceil(seconds / _DAY) + self.per_hour * math.ceil(seconds / _HOUR)
        return score * min(share, self.at_most)


@dataclass(frozen=True)
class Settings:
    """What `course.toml` says."""

    platform: str = ""
    zone: str = "UTC"
    due: Mapping[str, str] = field(default_factory=dict)
    """By assignment, in UTC as masters write it."""
    late: LateRule | None = None
    install: Source | None = None
    """Where students install the package from; None where the file does not say."""
    opens: Mapping[str, str] = field(default_factory=dict)
    """When the students' page begins to list an assignment, in UTC; at once where the file does not say."""

    def is_open(self, assignment: str, now: datetime | None = None) -> bool:
        """Whether the students' page may list an assignment."""
        time = (now or datetime.now(UTC)).astimezone(UTC)
        return self.opens.get(assignment, "") <= f"{time:%Y-%m-%d %H:%M:%S} UTC"


def read_settings(path: Path) -> Settings:
    """Read a course's settings; where there is no file, all stays as the masters say it.

    Raises
    ------
    SettingsError
        If the file cannot be read, or holds something that is not known or not possible.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from error
    try:
        _only(content, {"course", "due", "opens", "late", "install"}, "")
        course = _table(content, "course")
        _only(course, {"platform", "zone", "private"}, "course.")
        platform, zone = course.get("platform", ""), course.get("zone", "UTC")
        if platform and platform not in PLATFORMS:
            raise SettingsError(f"course.platform is {platform!r}. Expected one of {', '.join(PLATFORMS)}.")
        due = {str(name): in_utc(said, zone, f"due.{name}") for name, said in _table(content, "due").items()}
        opens = {
            str(name): in_utc(said, zone, f"opens.{name}", "00:00") for name, said in _table(content, "opens").items()
        }
        late = _late_rule(_table(content, "late")) if "late" in content else None
        install = _source(_table(content, "install")) if "install" in content else None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    return Settings(platform, zone, due, late, install, opens)


def in_utc(said: object, zone: str, name: str, time_of_day: str = "23:59") -> str:
    """Return a date in a zone as masters write it, in UTC; a day without a time has the one given.

    >>> in_utc("2027-02-12", "Europe/Berlin", "due.backward"), in_utc("2027-07-12 18:00", "America/New_York", "")
    ('2027-02-12 22:59:00 UTC', '2027-07-12 22:00:00 UTC')

    Raises
    ------
    SettingsError
        If it is no date, or there is no such zone.
    """
    try:
        place: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise SettingsError(
            f"there is no time zone {zone!r}. Expected a name such as Europe/Berlin or America/New_York."
        ) from error
    text = str(said)
    try:
        time = datetime.fromisoformat(text if len(text) > 10 else f"{text} {time_of_day}")
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}. Expected a date such as 2027-02-12 or 2027-02-12 18:00.") from error
    time = time if time.tzinfo else time.replace(tzinfo=place)
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _late_rule(facts: Mapping[str, Any]) -> LateRule:
    known = {"per_day", "per_hour", "at_most", "grace_minutes", "nothing_after_days"}
    _only(facts, known, "late.")
    for name, value in facts.items():
        highest = 1.0 if name in ("per_day", "per_hour", "at_most") else math.inf
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
            span = "a share from 0 to 1" if highest == 1.0 else "a number, 0 or more"
            raise SettingsError(f"late.{name} is {value!r}. Expected {span}.")
    if not facts.keys() & {"per_day", "per_hour", "nothing_after_days"}:
        raise SettingsError("late says nothing that is lost. Expected per_day, per_hour or nothing_after_days.")
    return LateRule(**{name: float(value) for name, value in facts.items()})


def _source(facts: Mapping[str, Any]) -> Source:
    _only(facts, {"index", "site"}, "install.")
    for name, value in facts.items():
        if not isinstance(value, str):
            raise SettingsError(f"install.{name} is {value!r}. Expected text, such as {EXPECTED[name]!r}.")
    site = facts.get("site", "").rstrip("/")
    if site and "://" not in site:
        raise SettingsError(f"install.site is {site!r}. Expected an address, such as {EXPECTED['site']!r}.")
    return Source(facts.get("index", ""), site)


def _table(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = content.get(name, {})
    if not isinstance(value, dict):
        raise SettingsError(f"{name} is {value!r}. Expected a table, [{name}].")
    return value


def _only(content: Mapping[str, Any], known: set[str], before: str) -> None:
    for name in content:
        if name not in known:
            raise SettingsError(f"{before}{name} is not known. Expected: {', '.join(sorted(known))}.")
