"""A class of 200 on each platform, from the download to marks and pages, by the commands that the guide tells."""

import csv
import io
import resource
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.gradebook.records_table import records_of
from bncourse.grading.reports.class_lines import class_lines
from tools import whole_classes as classes

COUNT = 200
AT_MOST = {"commands": 8, "seconds": 120.0}
"""From the download to marks and pages; seconds of processor time, so one minute on two processors."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """One course folder for all platforms: who is graded already is not graded again."""
    folder = tmp_path_factory.mktemp("whole") / "bn-2027"
    classes.set_up("folder", folder)
    yield find_course(folder)


def played(course: Course, platform: str) -> list[classes.Step]:
    for part in ("submitted", "feedback", "results"):
        shutil.rmtree(course.root / part, ignore_errors=True)
    who = classes.people(COUNT)
    classes.hand_in(platform, course.root, who, classes.notebooks(course, who))
    return classes.play(platform, course.root)


@pytest.mark.long
@pytest.mark.sandbox
@pytest.mark.timeout(900)
@pytest.mark.parametrize("platform", ["folder", "canvas", "moodle", "gradescope", "github"])
def test_a_class_of_200_goes_from_zip_to_zip(course: Course, sandbox: None, platform: str) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    steps = played(course, platform)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{platform}: {len(steps)} commands, {seconds:.1f} s of processor time")
    assert len(steps) <= AT_MOST["commands"] and seconds < AT_MOST["seconds"]
    lines = {line.student: line for line in class_lines(course, classes.NAME)}
    handed_in = {line.student for line in lines.values() if not line.absent}
    records = {record.student: record.score for record in records_of(course, classes.NAME)}
    assert len(lines) == COUNT and len(handed_in) >= COUNT - classes.ABSENT - 1
    assert {who: lines[who].score for who in handed_in} == {who: records[who] for who in handed_in}
    style = {"folder": "mail", "gradescope": "mail", "github": "mail"}.get(platform, platform)
    with zipfile.ZipFile(course.results(classes.NAME) / f"feedback-{style}.zip") as archive:
        assert len(archive.namelist()) == len(handed_in)
    if platform in ("canvas", "moodle", "gradescope"):
        assert marks_in(course.results(classes.NAME) / "gradebook.csv") == {
            line.email if platform != "canvas" else line.student: line.score for line in lines.values()
        }


def marks_in(path: Path) -> dict[str, float]:
    """The marks in a platform's file, by the column that names students surely."""
    table = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    found = {}
    for row in table:
        key = row.get("Email") or row.get("Email address") or row.get("SIS Login ID")
        mark = next(row[name] for name in ("Backward (77)", "Grade", classes.NAME) if name in row)
        if key:
            found[key] = float(mark)
    return found
