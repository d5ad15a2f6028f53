from datetime import UTC, datetime
from pathlib import Path

import pytest

from bncourse.grading.authoring.settings import LateRule, Settings, SettingsError, read_settings
from bncourse.grading.core.install import Source


def test_without_a_file_all_stays_as_the_masters_say_it(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "course.toml") == Settings()


def test_dates_are_read_in_the_courses_zone(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text(
        '[course]\nplatform = "moodle"\nzone = "Asia/Tokyo"\n[due]\nforward = 2027-03-01\nshift = 2027-03-02T08:00:00\n'
        'backward = "2027-03-08 12:00"\n[late]\nper_day = 0.1\n'
    )
    assert read_settings(path) == Settings(
        "moodle",
        "Asia/Tokyo",
        {
            "forward": "2027-03-01 14:59:00 UTC",
            "shift": "2027-03-01 23:00:00 UTC",
            "backward": "2027-03-08 03:00:00 UTC",
        },
        LateRule(per_day=0.1),
    )


def test_an_assignment_is_listed_from_its_own_date_on(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text('[course]\nzone = "Asia/Tokyo"\n[opens]\nforward = "2027-03-01"\nbackward = "2027-03-01 12:00"\n')
    settings = read_settings(path)
    assert settings.opens == {"forward": "2027-02-28 15:00:00 UTC", "backward": "2027-03-01 03:00:00 UTC"}
    times = [datetime(2027, 2, 28, hour, tzinfo=UTC) for hour in (14, 15)]
    assert [settings.is_open("forward", time) for time in times] == [False, True]
    assert [settings.is_open("backward", time) for time in times] == [False, False]
    assert settings.is_open("shift", times[0])


def test_where_the_package_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text('[install]\nsite = "https://example.edu/bn/"\n')
    assert read_settings(path).install == Source(site="https://example.edu/bn")
    path.write_text("[install]\n")
    assert read_settings(path).install == Source()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[course", "cannot be read"),
        ("[corse]", "corse is not known. Expected: course, due, install, late, opens"),
        ("course = 1", "Expected a table"),
        ('[course]\nplatform = "blackboard"', "Expected one of canvas"),
        ('[course]\nzone = "Berlin"\n[due]\nx = "2027-01-01"', "no time zone 'Berlin'"),
        ('[due]\nforward = "tomorrow"', "due.forward is 'tomorrow'"),
        ("[late]\nper_day = 10", "late.per_day is 10. Expected a share from 0 to 1"),
        ("[late]\nper_day = true", "Expected a share"),
        ("[late]\nat_most = 0.5", "says nothing that is lost"),
        ("[late]\nper_week = 0.5", "late.per_week is not known"),
        ("[install]\nsite = true", "install.site is True. Expected text"),
        ('[install]\nsite = "example.edu"', "Expected an address"),
        ('[install]\nurl = "x"', "install.url is not known"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "course.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said.replace("[", r"\[")) as caught:
        read_settings(path)
    assert str(path) in str(caught.value)


def test_hours_and_a_limit() -> None:
    assert LateRule(per_hour=0.05)(20.0, 3601) == 2.0
    assert LateRule(nothing_after_days=0)(20.0, 1) == 20.0
